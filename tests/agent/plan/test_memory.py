"""The estimator against what others measured or published, and against a real step on this CPU."""

import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base_models.known import KNOWN, KnownModel
from agent.base_models.shape import read_shape
from agent.plan.memory import MIB, estimate_memory, nf4_bytes
from agent.plan.setup import TrainingSetup
from tests.agent.plan.cpu_peak import CONFIGS, measure_peak, shape_of_config, write_model

MODELS = {model.id.partition("/")[2]: model for model in KNOWN}
ATTENTION_ALONE = ["q_proj", "k_proj", "v_proj", "o_proj"]

# Peak of allocated MiB on a Tesla T4, checkpointing on, full logits, rank 32 on attention alone, NF4 without double
# quantization (peft's kbit preparation) or fp16: fitcheck-llm 0.3.1 (MIT), t4-sweep-2026-09-15, t4-phase3-2026-09-16.
T4 = (
    ("Qwen2.5-1.5B-Instruct", True, "sdpa", 2, 1024, 6827.7),
    ("Qwen2.5-1.5B-Instruct", False, "eager", 1, 2048, 7410.3),
    ("SmolLM2-1.7B-Instruct", True, "sdpa", 4, 1024, 5281.3),
    ("SmolLM2-1.7B-Instruct", False, "eager", 1, 2048, 5706.2),
    ("SmolLM2-135M-Instruct", True, "eager", 1, 4096, 3679.3),
    ("SmolLM2-135M-Instruct", False, "sdpa", 2, 512, 1026.9),
    ("SmolLM2-360M-Instruct", True, "eager", 1, 4096, 5687.2),
    ("SmolLM2-360M-Instruct", False, "sdpa", 1, 4096, 3754.8),
    ("TinyLlama-1.1B-Chat-v1.0", True, "sdpa", 12, 1024, 9371.7),
    ("TinyLlama-1.1B-Chat-v1.0", True, "eager", 2, 2048, 6651.0),
    ("TinyLlama-1.1B-Chat-v1.0", False, "sdpa", 2, 2048, 4354.1),
)
# GB. Unsloth's docs, "unsloth-requirements": the absolute minimum for QLoRA; LLaMA-Factory's README: QLoRA in 4 bits.
UNSLOTH = {
    "Llama-3.2-3B-Instruct": 3.5, "Mistral-7B-Instruct-v0.3": 5, "Qwen2.5-7B-Instruct": 5, "Llama-3.1-8B-Instruct": 6,
    "gemma-2-9b-it": 6.5, "Qwen2.5-14B-Instruct": 8.5, "phi-4": 8.5, "gemma-2-27b-it": 22, "Qwen2.5-32B-Instruct": 26,
    "Llama-3.3-70B-Instruct": 41,
}  # fmt: skip
LLAMA_FACTORY = {
    "Mistral-7B-Instruct-v0.3": 6, "Qwen2.5-7B-Instruct": 6, "Qwen2.5-14B-Instruct": 12, "phi-4": 12,
    "Qwen2.5-32B-Instruct": 24, "Llama-3.3-70B-Instruct": 48,
}  # fmt: skip


def measured_on_t4(name: str, quantized: bool, attention: str, rows: int, length: int) -> float:
    setup = TrainingSetup(
        device="cuda", rows=rows, length=length, r=32, target_modules=ATTENTION_ALONE, load_in_4bit=quantized,
        double_quant=False, dropout=False, activation_checkpointing=True,
        attention="eager" if attention == "eager" else "sdpa", loss="full", upcast=quantized,
    )  # fmt: skip
    return estimate_memory(MODELS[name].shape, setup).allocated


def test_allocated_memory_is_what_a_t4_measured() -> None:
    off = [measured_on_t4(*conditions) / mib - 1 for *conditions, mib in T4]  # type: ignore[arg-type]
    assert statistics.mean(map(abs, off)) < 0.03
    assert min(off) > -0.10


@pytest.mark.parametrize(
    ("published", "name", "gigabytes"),
    [("Unsloth", *each) for each in UNSLOTH.items()] + [("LLaMA-Factory", *each) for each in LLAMA_FACTORY.items()],
)
def test_whole_memory_is_near_what_others_publish(published: str, name: str, gigabytes: float) -> None:
    smallest = TrainingSetup(device="cuda", rows=1, length=512, activation_checkpointing=True, trained_share=0.5)
    assert 0.7 < estimate_memory(MODELS[name].shape, smallest).total / 1024 / gigabytes < 1.4


def test_nf4_weights_take_what_the_paper_says() -> None:
    assert 8 * nf4_bytes(double_quant=True) == pytest.approx(4.127, abs=1e-3)
    assert 8 * nf4_bytes(double_quant=False) == 4.5


@pytest.mark.parametrize("model", KNOWN, ids=lambda model: model.id)
def test_a_shape_counts_the_weights_that_the_models_page_states(model: KnownModel) -> None:
    assert model.shape.parameters == model.parameters


def test_a_config_with_vision_is_read_as_its_text_model() -> None:
    text = json.loads((CONFIGS / "gemma3.json").read_text())
    shape = read_shape({"model_type": "gemma3", "vision_config": {"hidden_size": 1152}, "text_config": text})
    assert shape == shape_of_config(CONFIGS / "gemma3.json")


def test_a_config_without_sizes_has_no_shape() -> None:
    assert read_shape({"model_type": "mamba", "d_model": 768}) is None


@given(
    model=st.sampled_from(KNOWN),
    length=st.integers(32, 8192),
    rows=st.integers(1, 8),
    r=st.integers(1, 128),
    share=st.floats(0.01, 1),
    device=st.sampled_from(("cpu", "cuda")),
    checkpointing=st.booleans(),
)
def test_more_of_anything_takes_more_memory(
    model: KnownModel, length: int, rows: int, r: int, share: float, device: str, checkpointing: bool
) -> None:
    setup = TrainingSetup(
        device="cpu" if device == "cpu" else "cuda", rows=rows, length=length, r=r, trained_share=share,
        activation_checkpointing=checkpointing,
    )  # fmt: skip

    def total(**change: object) -> float:
        return estimate_memory(model.shape, replace(setup, **change)).total  # type: ignore[arg-type]

    assert total() <= total(length=length + 1)
    assert total() <= total(rows=rows + 1)
    assert total() < total(r=r + 1)
    assert total() < total(load_in_4bit=False)
    assert total() < total(double_quant=False)
    assert total(activation_checkpointing=True) <= total(activation_checkpointing=False)
    assert total() <= total(loss="full")


@pytest.mark.slow  # no two steps of torch at the same time
@pytest.mark.parametrize(("config", "checkpointing"), [("llama", False), ("qwen2", True)])
def test_allocated_memory_is_the_peak_of_a_real_step(config: str, checkpointing: bool, tmp_path: Path) -> None:
    values = json.loads((CONFIGS / f"{config}.json").read_text()) | {"num_hidden_layers": 2, "vocab_size": 8192}
    (tmp_path / "tiny.json").write_text(json.dumps(values))
    write_model(tmp_path / "tiny.json", tmp_path / "model")
    setup = TrainingSetup(device="cpu", rows=2, length=128, trained_share=0.5, activation_checkpointing=checkpointing)
    peak = measure_peak(tmp_path / "model", setup)
    estimate = estimate_memory(shape_of_config(tmp_path / "tiny.json"), setup)
    assert estimate.allocated == pytest.approx(peak.total, rel=0.05)
    passing = estimate.activations + estimate.logits
    assert passing == pytest.approx(peak.passing, rel=0.15), f"{passing * MIB:.0f} bytes"
