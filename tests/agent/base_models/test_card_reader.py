import json
import shutil
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.base_models.card_reader import describe_model
from agent.errors import AgentError
from shared.errors import ErrorCode


def test_experts_that_are_not_understood_are_refused_in_words(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    for file in Path(smollm2_card.folder).glob("*token*"):
        shutil.copy(file, tmp_path)
    config = {
        "model_type": "ernie4_5_moe", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 512, "moe_num_experts": 4, "moe_k": 2,
        "moe_intermediate_size": 32,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(AgentError, match=r"acme is made of experts in a way that is not known.*“moe_") as caught:
        describe_model("acme", tmp_path, revision="r", license_name=None, gguf_problem=None)
    assert caught.value.code is ErrorCode.model_unusable
