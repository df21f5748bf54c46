"""Losses and gradients of each method, held to those of TRL's own trainers on the same batch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from agent.pipeline.context import Context
from agent.pipeline.examples import Example, collate
from agent.pipeline.load import loaded_model
from agent.pipeline.model import LoadedModel
from agent.pipeline.objectives import Dpo, Kto, Objective, Orpo, answer_likelihoods, weights
from agent.pipeline.token_head import IGNORED, TrainedTokensHead
from agent.pipeline.token_rows import TokenRow
from agent.pipeline.trainer import sft_config

pytestmark = pytest.mark.slow

PROMPTS = [[1, 11, 12, 13], [1, 21], [1, 31, 32], [1, 41, 42, 43, 44]]
BETTER = [[51, 52, 2], [61, 62, 63, 64, 2], [71, 2], [81, 82, 2]]
WORSE = [[53, 2], [65, 66, 2], [72, 73, 74, 2], [83, 84, 85, 2]]


@pytest.fixture
def model(context: Context) -> LoadedModel:
    """A model whose adapter has moved away from where it began, so that no difference is zero."""
    loaded = loaded_model(context)
    torch.manual_seed(3)
    for name, parameter in loaded.peft.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn_like(parameter) * 0.05
    loaded.peft.eval()  # the same batch must give the same number
    return loaded


def row(prompt: list[int], answer: list[int], *, wanted: bool = True) -> TokenRow:
    return TokenRow(input_ids=prompt + answer, labels=[IGNORED] * len(prompt) + answer, wanted=wanted)


def with_reference(model: LoadedModel, rows: Sequence[tuple[TokenRow, ...]]) -> dict[str, torch.Tensor]:
    """Return a batch with what the model says with its adapter off."""
    batch = collate([Example(rows=each) for each in rows])
    with torch.no_grad(), model.answering(adapter=False) as base:
        reference = answer_likelihoods(TrainedTokensHead(base), batch).reshape(-1, len(rows)).T
    return collate([Example(rows=each, reference=tuple(it.tolist())) for each, it in zip(rows, reference, strict=True)])


def gradient_norm(model: LoadedModel) -> float:
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.peft.parameters() if p.grad is not None])
    model.peft.zero_grad()
    return float(norm)


def ours(model: LoadedModel, objective: Objective, batch: dict[str, torch.Tensor]) -> tuple[float, float]:
    loss = objective.loss(TrainedTokensHead(model.peft), batch)
    mean = loss.sum / loss.units
    mean.backward()  # type: ignore[no-untyped-call]
    return float(mean.detach()), gradient_norm(model)


def theirs(model: LoadedModel, trainer: Any, batch: dict[str, Any]) -> tuple[float, float]:
    for name, parameter in model.peft.named_parameters():
        parameter.data = parameter.data.float() if "lora_" in name else parameter.data  # TRL rounds them to 16 bits
    loss = trainer.compute_loss(model.peft, batch)
    loss.backward()
    return float(loss.detach()), gradient_norm(model)


def arguments(context: Context, tmp_path: Path) -> dict[str, Any]:
    known = sft_config(context.spec.settings, str(tmp_path), 42, "cpu")
    return {
        "output_dir": str(tmp_path), "use_cpu": True, "report_to": [], "bf16": False, "beta": 0.2,
        "activation_checkpointing": False, "max_length": 64, "per_device_train_batch_size": 4, "seed": known.seed,
    }  # fmt: skip


def turned_off(trainer: Any) -> None:
    """Let TRL's reference be the adapter switched off, as when it makes the adapter itself, and not a copy of ours."""
    trainer.model.delete_adapter("ref")


def restored(model: LoadedModel) -> dict[str, torch.Tensor]:
    return {name: it.detach().clone() for name, it in model.peft.named_parameters() if "lora_" in name}


def put_back(model: LoadedModel, kept: dict[str, torch.Tensor]) -> None:
    for name, parameter in model.peft.named_parameters():
        if name in kept:
            parameter.data = kept[name].clone()
            parameter.requires_grad_(True)


PAIRS = [(row(p, b), row(p, w)) for p, b, w in zip(PROMPTS, BETTER, WORSE, strict=True)]
TEXTS = Dataset.from_list([{"prompt": "Hi", "chosen": "Hello there", "rejected": "What"}] * 4)


def test_dpo_is_trls(context: Context, model: LoadedModel, tmp_path: Path) -> None:
    kept = restored(model)
    mine = ours(model, Dpo(beta=0.2), with_reference(model, PAIRS))
    trainer = DPOTrainer(
        model=model.peft, args=DPOConfig(**arguments(context, tmp_path)), train_dataset=TEXTS,
        processing_class=model.tokenizer,
    )  # fmt: skip
    turned_off(trainer)
    put_back(model, kept)
    examples = [
        {"prompt_ids": p, "chosen_ids": b, "rejected_ids": w} for p, b, w in zip(PROMPTS, BETTER, WORSE, strict=True)
    ]
    trl = theirs(model, trainer, trainer.data_collator(examples))
    assert mine == pytest.approx(trl, abs=1e-4)
    assert mine[0] != pytest.approx(0.693, abs=1e-3), "the adapter has moved"


def test_orpo_is_trls(context: Context, model: LoadedModel, tmp_path: Path) -> None:
    kept = restored(model)
    mine = ours(model, Orpo(beta=0.2), collate([Example(rows=it) for it in PAIRS]))
    trainer = ORPOTrainer(
        model=model.peft, args=ORPOConfig(**arguments(context, tmp_path), remove_unused_columns=False),
        train_dataset=TEXTS, processing_class=model.tokenizer,
    )  # fmt: skip
    put_back(model, kept)
    examples = [
        {
            f"{side}_{key}": value
            for side, it in (("chosen", better), ("rejected", worse))
            for key, value in (
                ("input_ids", it.input_ids), ("attention_mask", [1] * len(it.input_ids)), ("labels", it.labels),
            )
        }
        for better, worse in PAIRS
    ]  # fmt: skip
    assert mine == pytest.approx(theirs(model, trainer, trainer.data_collator(examples)), abs=1e-4)


def test_kto_is_trls(context: Context, model: LoadedModel, tmp_path: Path) -> None:
    kept = restored(model)
    wanted = [True, False, True, True]
    answers = [b if good else w for b, w, good in zip(BETTER, WORSE, wanted, strict=True)]
    others = [answers[-1], *answers[:-1]]
    rows = [
        (row(p, a, wanted=good), row(p, other))
        for p, a, other, good in zip(PROMPTS, answers, others, wanted, strict=True)
    ]
    mine = ours(model, Kto(beta=0.2, wanted_share=0.75), with_reference(model, rows))
    good, bad = weights(0.75)
    trainer = KTOTrainer(
        model=model.peft,
        args=KTOConfig(
            **arguments(context, tmp_path), desirable_weight=good, undesirable_weight=bad,
            train_sampling_strategy="sequential",
        ),
        train_dataset=Dataset.from_list([{"prompt": "Hi", "completion": "Hello", "label": True}] * 4),
        processing_class=model.tokenizer,
    )  # fmt: skip
    turned_off(trainer)
    put_back(model, kept)
    examples = [
        {"prompt_ids": p, "completion_ids": a, "KL_completion_ids": other, "label": good}
        for p, a, other, good in zip(PROMPTS, answers, others, wanted, strict=True)
    ]
    assert mine == pytest.approx(theirs(model, trainer, trainer.data_collator(examples)), abs=1e-4)


def test_good_and_bad_answers_weigh_the_same_in_all() -> None:
    good, bad = weights(0.8)
    assert 0.8 * good == pytest.approx(0.2 * bad)
    assert 0.8 * good + 0.2 * bad == pytest.approx(1)
    assert weights(1.0) == (1.0, 1.0)
