"""A prepared job on the two-layer model: rows in tokens, spec written, nothing trained yet."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

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

WORDS = ("tea", "cats", "rain", "bread", "stairs", "the sea", "a long walk in the park", "numbers", "clouds")


@pytest.fixture
def context(tmp_path: Path, tiny_card: BaseModelCard, tmp_path_factory: pytest.TempPathFactory) -> Context:
    cache = tmp_path / "cache"
    cache.mkdir()
    tiny_card.write(cache)
    dice = random.Random(3)
    rows = [{"prompt": f"Do you like {w}, {n}?", "completion": f"I like {w} " * dice.randint(1, 6) + "a lot."}
            for n in range(3) for w in WORDS]  # fmt: skip
    data = "\n".join(json.dumps(row) for row in rows).encode()
    dataset = tmp_path / "rows.jsonl"
    dataset.write_bytes(data)
    folder = JobFolder(path=tmp_path / "job")
    settings = ResolvedSettings(
        n_epochs=2, batch_size=4, per_device_train_batch_size=2, gradient_accumulation_steps=2, learning_rate=1e-3,
        r=4, lora_alpha=8, lora_dropout=0.1, target_modules="all-linear", load_in_4bit=True, max_length=128,
        warmup_steps=1, lr_scheduler_type="cosine", weight_decay=0.01, early_stopping_patience=3, eval_steps=3,
        activation_checkpointing=False,
    )  # fmt: skip
    spec = JobSpec(
        job_id="ftjob-1", number=1, name="tiny-test", ollama_name="tiny-test:v1", base_model="tiny",
        base_model_cache=str(cache), base_model_revision=tiny_card.revision, dataset_path=str(dataset),
        dataset_sha256=hashlib.sha256(data).hexdigest(), form=DatasetForm.prompt_completion, settings=settings,
        seed=42, total_steps=12, threads=1, device="cpu", progress_every_s=0.0,
    )  # fmt: skip
    folder.create(spec)
    made = Context(folder=folder, spec=spec, log=EventLog(folder.events), pulse=Pulse(folder))
    prepare.run(made)
    return made


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
