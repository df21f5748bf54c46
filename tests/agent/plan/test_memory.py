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
from agent.methods.table import METHODS
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
# The same on an H200, by our own trainer with all linear layers adapted: rows at once of up to 832 tokens, of which 766
# are trained; whether activations are recomputed.
H200 = (
    ("Llama-3.2-1B-Instruct", 1, False, 4060),
    ("Qwen2.5-3B-Instruct", 2, True, 5269),
    ("Llama-3.1-8B-Instruct", 1, True, 7442),
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


@pytest.mark.parametrize(("name", "rows", "recomputed", "mib"), H200)
def test_allocated_memory_is_what_our_trainer_took_on_an_h200(name: str, rows: int, recomputed: bool, mib: int) -> None:
    setup = TrainingSetup(
        device="cuda", rows=rows, length=832, trained_share=766 / 832, activation_checkpointing=recomputed
    )
    assert estimate_memory(MODELS[name].shape, setup).allocated == pytest.approx(mib, rel=0.02)


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


# What a few public models' config.json say of their shape, and the parameters that their pages state, in billions.
EXPERTS = {
    "Mixtral-8x7B-Instruct-v0.1": (46.7, {
        "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "num_local_experts": 8,
        "num_experts_per_tok": 2, "tie_word_embeddings": False, "router_aux_loss_coef": 0.02,
    }),
    "Qwen3-30B-A3B": (30.5, {
        "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 48,
        "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "num_experts": 128,
        "num_experts_per_tok": 8, "moe_intermediate_size": 768, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "tie_word_embeddings": False,
    }),
    "Qwen1.5-MoE-A2.7B": (14.3, {
        "model_type": "qwen2_moe", "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 24,
        "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 151936, "num_experts": 60,
        "num_experts_per_tok": 4, "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
        "decoder_sparse_step": 1, "tie_word_embeddings": False,
    }),
    "OLMoE-1B-7B": (6.92, {
        "model_type": "olmoe", "hidden_size": 2048, "intermediate_size": 1024, "num_hidden_layers": 16,
        "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 50304, "num_experts": 64,
        "num_experts_per_tok": 8, "tie_word_embeddings": False,
    }),
    "gpt-oss-20b": (20.9, {
        "model_type": "gpt_oss", "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 24,
        "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 201088,
        "num_local_experts": 32, "experts_per_token": 4, "num_experts_per_tok": 4, "tie_word_embeddings": False,
    }),
    "DeepSeek-V3": (671.0, {
        "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 61,
        "num_attention_heads": 128, "num_key_value_heads": 128, "vocab_size": 129280, "n_routed_experts": 256,
        "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "first_k_dense_replace": 3,
        "moe_layer_freq": 1, "tie_word_embeddings": False,
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPERTS)
def test_all_experts_count_and_only_some_of_them_are_passed(name: str) -> None:
    billions, config = EXPERTS[name]
    shape = read_shape(config)
    assert shape is not None
    assert shape.parameters / 1e9 == pytest.approx(billions, rel=0.01)
    assert shape.active_size <= 9 * shape.expert_size + shape.shared_size
    # Kept in one tensor, experts are not in 4 bits: NF4 saves little of such a model.
    assert (
        estimate_memory(shape, TrainingSetup(device="cuda", rows=1, length=512)).weights * MIB > 1.5 * shape.parameters
    )


@pytest.mark.parametrize(
    "strange",
    [{"moe_num_experts": 64}, {"num_experts": 16, "expert_layer_period": 2}, {"moe_intermediate_size": [1, 2]}],
)
def test_experts_that_are_not_understood_have_no_shape_rather_than_a_wrong_one(strange: dict[str, object]) -> None:
    llama = json.loads((CONFIGS / "llama.json").read_text())
    assert read_shape(llama) is not None
    assert read_shape(llama | strange) is None
    off: dict[str, object] = {
        "num_experts": None,
        "enable_moe_block": False,
        "moe_topk": 1,
        "moe_layers": [],
        "moe_aux_loss": 0.1,
    }
    assert read_shape(llama | off) == read_shape(llama)


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
    assert total() < total(load_in_4bit=False, load_in_8bit=True) < total(load_in_4bit=False)
    assert total(activation_checkpointing=True) <= total(activation_checkpointing=False)
    assert total() <= total(loss="full")


@pytest.mark.slow  # no two steps of torch at the same time
@pytest.mark.parametrize(
    ("config", "change"),
    [
        ("llama", {}),
        ("qwen2", {"activation_checkpointing": True}),
        ("llama", {"use_dora": True, "dropout": False}),
        ("llama", {"load_in_4bit": False, "load_in_8bit": True}),
    ],
)
def test_allocated_memory_is_the_peak_of_a_real_step(config: str, change: dict[str, bool], tmp_path: Path) -> None:
    values = json.loads((CONFIGS / f"{config}.json").read_text()) | {"num_hidden_layers": 2, "vocab_size": 8192}
    (tmp_path / "tiny.json").write_text(json.dumps(values))
    write_model(tmp_path / "tiny.json", tmp_path / "model")
    setup = replace(TrainingSetup(device="cpu", rows=2, length=128, trained_share=0.5), **change)  # type: ignore[arg-type]
    peak = measure_peak(tmp_path / "model", setup)
    estimate = estimate_memory(shape_of_config(tmp_path / "tiny.json"), setup)
    assert estimate.allocated == pytest.approx(peak.total, rel=0.05)
    passing = estimate.activations + estimate.logits
    assert passing == pytest.approx(peak.passing, rel=0.15), f"{passing * MIB:.0f} bytes"


@pytest.mark.slow
@pytest.mark.parametrize(("method", "trained_share"), [("dpo", 0.5), ("orpo", 0.75), ("kto", 0.5)])
def test_methods_that_weigh_answers_take_what_is_planned(method: str, trained_share: float, tmp_path: Path) -> None:
    values = json.loads((CONFIGS / "llama.json").read_text()) | {"num_hidden_layers": 2, "vocab_size": 8192}
    (tmp_path / "tiny.json").write_text(json.dumps(values))
    write_model(tmp_path / "tiny.json", tmp_path / "model")
    setup = TrainingSetup(
        device="cpu", rows=2, length=128, trained_share=trained_share, dropout=False,
        rows_in_memory=METHODS[method].rows_in_memory,
    )  # fmt: skip
    peak = measure_peak(tmp_path / "model", setup, method)
    estimate = estimate_memory(shape_of_config(tmp_path / "tiny.json"), setup)
    assert 0.97 < estimate.allocated / peak.total < 1.1
