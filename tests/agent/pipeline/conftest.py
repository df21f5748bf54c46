"""A prepared job on the two-layer model: rows in tokens, spec written, nothing trained yet."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any, Protocol

import pytest

from agent.base_models.card import BaseModelCard
from agent.job_folder.folder import JobFolder
from agent.job_folder.spec import JobSpec
from agent.pipeline import prepare
from agent.pipeline.checkpoint_writer import save_checkpoint
from agent.pipeline.context import Context, EventLog, Pulse
from agent.pipeline.load import loaded_model
from agent.pipeline.objectives import objective_of
from agent.pipeline.train import Watcher, watched_trainer
from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm
from tests.agent.pipeline.saving import COUNTS

SETTINGS = ResolvedSettings(
    n_epochs=2, batch_size=4, per_device_train_batch_size=2, gradient_accumulation_steps=2, learning_rate=1e-3,
    r=4, lora_alpha=8, lora_dropout=0.1, target_modules="all-linear", load_in_4bit=True, max_length=128,
    warmup_steps=1, lr_scheduler_type="cosine", weight_decay=0.01, early_stopping_patience=3, eval_steps=3,
    activation_checkpointing=False,
)  # fmt: skip
WORDS = ("tea", "cats", "rain", "bread", "stairs", "the sea", "a long walk in the park", "numbers", "clouds")


LIKED = [
    {"prompt": f"Do you like {word}, {n}?", "completion": f"I like {word} " * times + "a lot."}
    for dice in (random.Random(3),)
    for n in range(3)
    for word in WORDS
    for times in (dice.randint(1, 6),)
]


class Prepare(Protocol):
    """Makes a prepared job of rows."""

    def __call__(self, rows: list[Any], form: DatasetForm, **settings: Any) -> Context: ...


@pytest.fixture
def prepared(tmp_path: Path, tiny_card: BaseModelCard) -> Prepare:
    """What makes a prepared job of rows; `method` is of the spec, all else of its settings."""

    def prepared(rows: list[Any], form: DatasetForm, *, method: str = "supervised", **settings: Any) -> Context:
        cache = tmp_path / "cache"
        cache.mkdir()
        tiny_card.write(cache)
        data = "\n".join(json.dumps(row) for row in rows).encode()
        dataset = tmp_path / "rows.jsonl"
        dataset.write_bytes(data)
        folder = JobFolder(path=tmp_path / "job")
        spec = JobSpec(
            job_id="ftjob-1", number=1, name="tiny-test", ollama_name="tiny-test:v1", base_model="tiny",
            base_model_cache=str(cache), base_model_revision=tiny_card.revision, dataset_path=str(dataset),
            dataset_sha256=hashlib.sha256(data).hexdigest(), form=form, method=method,
            settings=SETTINGS.model_copy(update=settings), seed=42, total_steps=12, threads=1, device="cpu",
            progress_every_s=0.0,
        )  # fmt: skip
        folder.create(spec)
        made = Context(folder=folder, spec=spec, log=EventLog(folder.events), pulse=Pulse(folder))
        prepare.run(made)
        return made

    return prepared


@pytest.fixture
def context(prepared: Prepare) -> Context:
    """A prepared job of supervised training."""
    return prepared(LIKED, DatasetForm.prompt_completion)


@pytest.fixture
def trainer(context: Context) -> Any:
    """A trainer with one optimizer step behind it and a checkpoint at step 1."""
    loaded_model(context)
    watcher = Watcher(context, objective_of(context))
    trainer = watcher.trainer = watched_trainer(context, watcher)
    trainer.callback_handler.callbacks.remove(watcher)
    trainer.args.max_steps = 1
    trainer.train()
    save_checkpoint(trainer, context.folder.checkpoints, COUNTS)
    trainer.state.global_step = 2
    return trainer
