"""Each kind of adapter on the two-layer model: trained, gone on with after a kill, merged, read back in llama.cpp."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from agent.base_models.llama_cpp import import_gguf, read_prepared
from agent.export.gguf import write_adapter_gguf
from agent.export.merge import merged, read_adapter
from agent.export.verify_child import VerifyReply, VerifyRequest
from agent.export.verify_child import verify as read_back
from agent.job_folder.checkpoint_files import list_checkpoints
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline import evaluate, export, train, verify
from agent.pipeline.context import Context
from agent.pipeline.evaluation import Evaluation
from agent.pipeline.load import loaded_model
from agent.pipeline.model import LoadedModel
from agent.pipeline.objectives import objective_of
from agent.pipeline.outcome import result_files
from agent.pipeline.prepare import base_card
from agent.pipeline.verified import read_verified
from tests.agent.pipeline.test_train import again, losses

pytestmark = pytest.mark.slow

IN_16_BITS = {"load_in_4bit": False, "lora_dropout": 0.0}
KINDS: dict[str, dict[str, Any]] = {
    "rsLoRA in 4 bits, from gaussian, with noise and LoRA+": {
        "use_rslora": True, "init_lora_weights": "gaussian", "neftune_noise_alpha": 5, "loraplus_lr_ratio": 8,
        "target_modules": ["q_proj", "v_proj"],
    },
    "DoRA in 4 bits with LoRA+, one layer": {
        "layers_to_transform": [1], "target_modules": ["q_proj", "up_proj", "down_proj"], "use_dora": True,
        "lora_dropout": 0.0, "loraplus_lr_ratio": 4,
    },
    "DoRA with rsLoRA and dropout in 16 bits": {"use_dora": True, "use_rslora": True, "load_in_4bit": False},
    "LoRA in 8 bits": {"load_in_4bit": False, "load_in_8bit": True},
    "OLoRA with rsLoRA": {"init_lora_weights": "olora", "use_rslora": True, **IN_16_BITS},
    "PiSSA with noise": {"init_lora_weights": "pissa", "neftune_noise_alpha": 5, **IN_16_BITS},
}  # fmt: skip
MOVED = [kind for kind, change in KINDS.items() if change.get("init_lora_weights") in {"olora", "pissa"}]


def with_settings(context: Context, change: dict[str, Any]) -> Context:
    """Return the same job of six steps with another adapter."""
    settings = context.spec.settings.model_copy(update={"n_epochs": 1, **change})
    context.spec = context.spec.model_copy(update={"settings": settings, "total_steps": 6})
    return context


def ask_here(context: Context, evaluation: Evaluation) -> VerifyReply:
    """Ask llama.cpp in this process: a new one for each kind would take most of the time."""
    request = VerifyRequest(
        gguf=str(context.gguf), answers=evaluation.tuned_answers, max_new_tokens=16, threads=1, gpu_layers=0
    )
    return read_back(request)


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_is_trained_resumed_and_exported(
    context: Context, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_settings(context, KINDS[kind])
    train.run(context)
    unbroken, kept = losses(context), load_file(context.folder.adapter / ADAPTER_FILE)
    shutil.rmtree(list_checkpoints(context.folder.checkpoints)[-1].path)
    (context.folder.adapter / ADAPTER_FILE).unlink()
    context.folder.events.unlink()
    context = again(context)
    train.run(context)
    resumed, adapter = losses(context), load_file(context.folder.adapter / ADAPTER_FILE)
    assert resumed == {step: pytest.approx(unbroken[step], abs=1e-6) for step in (4, 5, 6)}
    assert all(torch.allclose(adapter[name], kept[name], atol=1e-6) for name in kept)
    evaluate.run(context)
    export.run(context)
    monkeypatch.setattr(verify, "ask_llama_cpp", ask_here)
    verify.run(context)
    verification = read_verified(context).verification
    assert not verification.second_try
    assert all(file.is_file() for file in result_files(context) if file.parent == context.folder.export)


def test_lora_plus_gives_the_second_matrix_a_rate_of_its_own(context: Context) -> None:
    loaded_model(with_settings(context, {"loraplus_lr_ratio": 8}))
    trainer = train.watched_trainer(context, train.Watcher(context, objective_of(context)))
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    for group in trainer.create_optimizer().param_groups:
        matrices = {"lora_B" in names[id(parameter)] for parameter in group["params"]}
        assert matrices in ({True}, {False}, set())
        assert not matrices or group["lr"] == pytest.approx(1e-3 * (8 if True in matrices else 1))
        assert not matrices or group["weight_decay"] == 0.01


def test_llama_cpp_scales_an_adapter_of_rslora_as_it_was_trained(context: Context) -> None:
    moved_away(context, {"use_rslora": True})
    card, out = base_card(context), context.folder.export / "adapter.gguf"
    prepared = read_prepared(Path(context.spec.base_model_cache))
    write_adapter_gguf(Path(card.folder), context.folder.adapter, out, prepared=prepared)
    reader = import_gguf().GGUFReader(out)
    alpha, r = reader.get_field("adapter.lora.alpha").contents(), context.spec.settings.r
    assert alpha / r == context.spec.settings.scale == 4  # llama.cpp divides by the rank of the tensors


def moved_away(context: Context, change: dict[str, Any]) -> LoadedModel:
    """Load the model with an adapter whose every matrix is another than at its beginning."""
    model = loaded_model(with_settings(context, change))
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.peft.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_adapter(context.folder.adapter)
    return model


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=torch.tensor([[1, 11, 12, 13, 21, 31]])).logits
    return found


def base_model(context: Context) -> Any:
    return AutoModelForCausalLM.from_pretrained(base_card(context).folder, dtype=torch.float32).eval()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "bits" not in kind or "16 bits" in kind])
def test_merging_is_pefts_own(context: Context, kind: str) -> None:
    model = moved_away(context, KINDS[kind])
    pairs, base = read_adapter(context.folder.adapter), base_model(context).state_dict()
    theirs = model.peft.merge_and_unload().state_dict()
    assert len(pairs) == 14
    for name, pair in pairs.items():
        assert torch.allclose(merged(base[name], pair, held_in="original"), theirs[name], atol=1e-5), name


@pytest.mark.parametrize("kind", MOVED)
def test_an_adapter_that_took_a_part_of_the_base_is_switched_off_and_handed_out_for_the_base_as_it_was(
    context: Context, kind: str
) -> None:
    model = moved_away(context, KINDS[kind])
    base = logits(base_model(context))
    with model.answering(adapter=True) as tuned:
        learned = logits(tuned)
    with model.answering(adapter=False) as off:
        assert torch.allclose(logits(off), base, atol=1e-3)
    with model.answering(adapter=True) as tuned:
        assert torch.equal(logits(tuned), learned)
    handed_out = PeftModel.from_pretrained(base_model(context), context.folder.adapter)
    assert torch.allclose(logits(handed_out), learned, atol=1e-3)
    assert not torch.allclose(base, learned, atol=0.1)
    reloaded = loaded_model(again(context))
    with reloaded.answering(adapter=True) as tuned:
        assert torch.allclose(logits(tuned), learned, atol=1e-3)


@pytest.mark.parametrize("change", [{}, {"init_lora_weights": "gaussian"}, {"use_dora": True, "lora_dropout": 0.0},
                                    *(KINDS[kind] for kind in MOVED)])  # fmt: skip
def test_before_the_first_step_a_model_is_its_own_reference(context: Context, change: dict[str, Any]) -> None:
    model = loaded_model(with_settings(context, change))
    with model.answering(adapter=True) as tuned:
        begun = logits(tuned)
    with model.answering(adapter=False) as off:
        assert torch.allclose(begun, logits(off), atol=1e-4)
