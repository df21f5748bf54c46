"""A base model's weights are brought once, or it is said why not."""

from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import PACKAGED, find_base_model
from agent.base_models.weights import fetch_weights
from agent.errors import AgentError
from agent.settings import AgentSettings
from shared.errors import ErrorCode


def test_a_gguf_that_does_not_fit_in_memory_is_refused_before_it_is_read(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    source = find_base_model(PACKAGED, AgentSettings(hearth_data_dir=tmp_path))
    source.cache.mkdir(parents=True)
    vast = smollm2_card.model_copy(update={"folder": str(tmp_path), "parameters": 10**13})
    with pytest.raises(
        AgentError, match=r"takes about 18\d{3}\.\d GiB of RAM; \d+\.\d are free.*Hugging Face id"
    ) as caught:
        fetch_weights(source, vast)
    assert caught.value.code is ErrorCode.insufficient_memory
    assert not list(tmp_path.glob("*.safetensors"))
