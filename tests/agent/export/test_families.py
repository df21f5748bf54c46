"""Every recommended base model becomes a GGUF. Two families all the way here, the others in `make soak`."""

from pathlib import Path

import pytest
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from agent.base_models.card import BaseModelCard
from agent.base_models.known import KNOWN
from agent.base_models.llama_cpp import import_conversion
from agent.export.gguf import name_in_file
from tests.agent.export.families import export_in_child

SPREAD = ("qwen2", "gemma3_text")  # biases; other norms, and a window


@pytest.mark.parametrize("family", sorted({model.shape.model_type for model in KNOWN}))
def test_llama_cpp_converts_every_recommended_family(family: str) -> None:
    assert import_conversion().get_model_class(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[family])


@pytest.mark.slow
@pytest.mark.process
def test_an_adapted_model_of_another_family_is_the_same_in_llama_cpp(
    smollm2_card: BaseModelCard, tmp_path: Path
) -> None:
    exported = export_in_child(Path(smollm2_card.folder), tmp_path, SPREAD)
    assert [each.family for each in exported] == list(SPREAD)
    for each in exported:
        assert each.is_the_adapted_model(), each


@pytest.mark.parametrize(
    ("name", "architecture", "vocabulary", "stated"),
    [
        ("toast", "llama", "gpt2", "toast"),
        ("my-phi-3-toast", "llama", "gpt2", "my-phi 3-toast"),
        ("phi3", "phi3", "gpt2", "phi 3"),
        ("toast", "phi3", "llama", "toast (Phi-3)"),
        ("phi3-toast", "phi3", "llama", "phi3-toast"),
    ],
)
def test_only_a_phi_3_is_called_phi_3_in_its_file(name: str, architecture: str, vocabulary: str, stated: str) -> None:
    assert name_in_file(name, architecture=architecture, vocabulary=vocabulary) == stated
