"""Checkpoints: when they are written, which are trusted, and that a run broken off goes on exactly from one."""

import errno
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from agent.job_folder.checkpoint_files import MANIFEST, Counts, damage, list_checkpoints, newest_valid
from agent.job_folder.durable import file_sha256
from agent.job_folder.events import read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline import train
from agent.pipeline.checkpoint_writer import CheckpointError, save_checkpoint
from agent.pipeline.context import Context, DiskFull, EventLog, Pulse, Stopped
from agent.pipeline.load import loaded_model
from agent.pipeline.objectives import objective_of
from agent.pipeline.resume import find_resume
from agent.pipeline.saver import Saver
from agent.pipeline.train import Watcher, watched_trainer
from shared.events import CheckpointData, ProgressData
from tests.agent.pipeline.saving import COUNTS
from tests.agent.pipeline.test_train import again, losses

pytestmark = pytest.mark.slow


class Interrupts(Watcher):
    """A watcher to which something happens at a step."""

    def __init__(self, context: Context, *, step: int, then: Callable[[], None], within: bool = False) -> None:
        super().__init__(context, objective_of(context))
        self._step, self._then, self._within = step, then, within

    def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._within and state.global_step == self._step:
            self._then()
        super().on_substep_end(args, state, control, **kwargs)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> Any:
        if not self._within and state.global_step == self._step:
            self._then()
        return super().on_log(args, state, control, logs, **kwargs)


def train_until(context: Context, watcher: Interrupts) -> None:
    loaded_model(context)
    watcher.trainer = watched_trainer(context, watcher)
    watcher.trainer.train()


@pytest.mark.parametrize("within", [True, False], ids=["within a step", "between steps"])
def test_paused_run_goes_on_exactly(context: Context, tmp_path: Path, within: bool) -> None:
    train.run(context)
    unbroken, tokens = losses(context), trained_tokens(context)
    for path in context.folder.checkpoints.iterdir():
        path.rename(tmp_path / f"old-{path.name}")
    (context.folder.adapter / ADAPTER_FILE).unlink()
    context.folder.events.unlink()
    paused = again(context)
    with pytest.raises(Stopped):
        train_until(paused, Interrupts(paused, step=4, then=context.folder.pause_request.touch, within=within))
    newest = newest_valid(context.folder.checkpoints)
    assert newest is not None
    assert newest.step == 4
    context.folder.pause_request.unlink()
    resumed = again(context)
    train.run(resumed)
    assert losses(context) == {step: pytest.approx(loss, abs=1e-6) for step, loss in unbroken.items()}
    assert trained_tokens(context) == tokens


def trained_tokens(context: Context) -> int:
    records, _ = read_events(context.folder.events, 0)
    return max(r.data.trained_tokens for r in records if isinstance(r.data, ProgressData))


def test_checkpoint_is_written_once_the_last_is_older_than_the_interval(context: Context) -> None:
    assert context.spec.checkpoint_interval_s == 600  # a crash costs no more than ten minutes
    context.spec = context.spec.model_copy(update={"checkpoint_interval_s": 0.0})
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    saved = [r.data.step for r in records if isinstance(r.data, CheckpointData)]
    assert saved == list(range(1, context.spec.total_steps + 1))


def test_no_checkpoint_is_due_while_the_last_is_younger_than_the_interval(context: Context) -> None:
    rarely = context.spec.settings.model_copy(update={"eval_steps": 100})
    context.spec = context.spec.model_copy(update={"settings": rarely})
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    assert [r.data.step for r in records if isinstance(r.data, CheckpointData)] == [context.spec.total_steps]


def test_training_goes_on_when_a_checkpoint_cannot_be_written_and_says_so(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise CheckpointError(OSError(errno.EIO, "Input/output error"))

    monkeypatch.setattr("agent.pipeline.saver.save_checkpoint", fail)
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    assert not [r for r in records if isinstance(r.data, CheckpointData)]
    said = [r.message for r in records if r.level == "warn"]
    assert said[0].startswith("The checkpoint at step 3 could not be written")
    assert "Input/output error" in said[0]
    assert (context.folder.adapter / ADAPTER_FILE).exists()


def test_full_disk_frees_superseded_checkpoints_then_gives_up_for_now(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_from = 9

    def save(trainer: Any, folder: Path, counts: Counts) -> Any:
        if trainer.state.global_step >= full_from:
            raise CheckpointError(OSError(errno.ENOSPC, "No space left on device"))
        return save_checkpoint(trainer, folder, counts)

    monkeypatch.setattr("agent.pipeline.saver.save_checkpoint", save)
    with pytest.raises(
        DiskFull, match=r"step 9 did not fit .* the one at step 6 stands\. Free some space, then resume"
    ):
        train.run(context)
    assert 6 in [c.step for c in list_checkpoints(context.folder.checkpoints)]


def test_patience_is_remembered_over_a_break(context: Context) -> None:
    """A run that had stopped early and was killed before it could say so does not train on."""
    train.run(context)
    counts = COUNTS.model_copy(update={"bad_evaluations": context.spec.settings.early_stopping_patience})
    stopped = again(context)
    model = loaded_model(stopped)
    watcher = Watcher(stopped, objective_of(stopped))
    watcher.trainer = watched_trainer(stopped, watcher)
    watcher.trainer.state.global_step = 6
    for checkpoint in list_checkpoints(context.folder.checkpoints):
        (checkpoint.path / ADAPTER_FILE).write_bytes(b"gone")
    trainer = watcher.trainer
    trainer.create_optimizer_and_scheduler(12)
    save_checkpoint(trainer, context.folder.checkpoints, counts)
    context.folder.events.unlink()
    train.run(Context(folder=context.folder, spec=context.spec, log=EventLog(context.folder.events),
                      pulse=Pulse(context.folder), model=model))  # fmt: skip
    assert losses(context) == {}


def test_damaged_checkpoints_never_push_out_the_one_that_can_be_trusted(context: Context) -> None:
    train.run(context)
    folder = context.folder.checkpoints
    older, newer = list_checkpoints(folder)[-2:]
    (newer.path / ADAPTER_FILE).write_bytes(b"damaged")
    (context.folder.adapter / ADAPTER_FILE).unlink()
    assert find_resume(again(context)) == older
    assert [checkpoint.step for checkpoint in list_checkpoints(folder)] == [older.step]
    said = [record.message for record in read_events(context.folder.events, 0)[0]][-2:]
    assert said == [
        f"The checkpoint at step {newer.step} is damaged (adapter_model.safetensors has changed), so it is not used.",
        f"Going on from step {older.step}.",
    ]
    (older.path / ADAPTER_FILE).write_bytes(b"damaged")
    assert find_resume(again(context)) is None
    said = [record.message for record in read_events(context.folder.events, 0)[0]]
    assert said[-1] == "Beginning again: no checkpoint can be trusted."


def test_full_disk_is_not_freed_of_the_one_checkpoint_that_can_be_trusted(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    train.run(context)
    folder = context.folder.checkpoints
    older, newer = list_checkpoints(folder)[-2:]
    (newer.path / ADAPTER_FILE).write_bytes(b"damaged")

    def full(*_: Any) -> None:
        raise CheckpointError(OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("agent.pipeline.saver.save_checkpoint", full)
    with pytest.raises(DiskFull, match=f"the one at step {older.step} stands"):
        Saver(context).save(
            SimpleNamespace(state=SimpleNamespace(global_step=99)), COUNTS, train_loss=None, valid_loss=None
        )


@pytest.mark.parametrize("name", ["optimizer.pt", "rng_state.pth", "scheduler.pt"])
def test_code_in_a_checkpoint_is_not_run(trainer: Any, context: Context, tmp_path: Path, name: str) -> None:
    """Not even with a manifest to match it: what torch reads, it reads as weights alone."""
    [checkpoint] = list_checkpoints(context.folder.checkpoints)
    canary = tmp_path / "canary"
    torch.save(Payload(canary), checkpoint.path / name)
    hashes = {path.name: file_sha256(path) for path in checkpoint.path.iterdir() if path.name != MANIFEST}
    (checkpoint.path / MANIFEST).write_text(json.dumps(hashes))
    assert damage(checkpoint) is None
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        train.run(again(context))
    assert not canary.exists()


class Payload:
    """What runs code when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._canary,)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null"])
def test_checkpoint_whose_manifest_says_nothing_is_damaged(trainer: Any, context: Context, content: str) -> None:
    [checkpoint] = list_checkpoints(context.folder.checkpoints)
    assert damage(checkpoint) is None
    (checkpoint.path / MANIFEST).write_text(content)
    assert damage(checkpoint) is not None
    assert newest_valid(context.folder.checkpoints) is None
