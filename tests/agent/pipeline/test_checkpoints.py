"""A checkpoint is complete or absent, whatever dies while it is written; and a run broken off goes on exactly."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from agent.checkpoints import MANIFEST, Counts, damage, list_checkpoints, newest_valid, remove, remove_staged
from agent.job_folder import ADAPTER_FILE, read_events
from agent.pipeline import train
from agent.pipeline.checkpoints import CheckpointError, save_checkpoint
from agent.pipeline.context import Context, DiskFull, EventLog, Pulse, Stopped
from agent.pipeline.load import loaded_model
from agent.pipeline.prepare import read_rows
from agent.pipeline.train import Watcher, make_trainer
from shared.events import CheckpointData, ProgressData
from tests.agent.pipeline.test_train import again, losses
from tests.kernel_faults import CAN_REFUSE, can_mount, die_in_a_write, in_child, mount_small_disk, refuse

pytestmark = pytest.mark.slow

COUNTS = Counts(best_loss=1.0, best_step=1, bad_evaluations=0, trained_tokens=10)
SAVED, REFUSED, FULL, DAMAGED = range(4)  # exit codes of a process that saves
BLOCK = 4096  # bytes
DISK_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fsync"}


@pytest.fixture
def trainer(context: Context) -> Any:
    """A trainer with one optimizer step behind it and a checkpoint at step 1."""
    loaded_model(context)
    watcher = Watcher(context, read_rows(context.folder, "validation"))
    trainer = make_trainer(context, read_rows(context.folder, "train"), watcher)
    watcher.trainer = trainer
    trainer.callback_handler.callbacks.remove(watcher)
    trainer.args.max_steps = 1
    trainer.train()
    save_checkpoint(trainer, context.folder.checkpoints, COUNTS)
    trainer.state.global_step = 2
    return trainer


class NthOperation:
    """Calls `strike` at the n-th operation on the disk; Python's own opens, renames and fsyncs count."""

    def __init__(self, number: int, strike: Callable[[], None]) -> None:
        self._left = number
        self._strike = strike
        self._fsync = os.fsync
        self.active = True

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event != "open" or (isinstance(arguments[1], str) and arguments[1][0] in "wax")
        if self.active and event in DISK_EVENTS and writes:
            self.count()

    def fsync(self, descriptor: int) -> None:
        if self.active:
            self.count()
        self._fsync(descriptor)

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._strike()


def save_and_die(trainer: Any, folder: Path, number: int) -> bool:
    """Save in a forked process that is killed at its n-th disk operation; say whether it lived to the end."""

    def play() -> int:
        operation = NthOperation(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
        vars(os)["fsync"] = operation.fsync
        sys.addaudithook(operation.hook)
        return save(trainer, folder)

    outcome = in_child(play)
    assert outcome in {SAVED, -signal.SIGKILL}
    return outcome == SAVED


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_checkpoint_killed_at_each_open_sync_and_rename_is_complete_or_absent(trainer: Any, context: Context) -> None:
    torch.set_num_threads(1)
    folder = context.folder.checkpoints
    for number in range(1, 100):
        lived = save_and_die(trainer, folder, number)
        newest = newest_valid(folder)
        assert newest is not None
        assert newest.step == 2 if lived else newest.step in {1, 2}
        assert [c.step for c in list_checkpoints(folder) if damage(c)] == []  # what is half done has another name
        if lived:
            break
        remove_staged(folder)
        for checkpoint in list_checkpoints(folder):
            if checkpoint.step == 2:
                remove(checkpoint.path)
    assert lived
    assert number > 10  # it was killed at as many places


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel to kill it")
@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_checkpoint_killed_in_the_middle_of_a_write_is_absent(trainer: Any, context: Context, share: float) -> None:
    torch.set_num_threads(1)
    folder = context.folder.checkpoints
    largest = max(path.stat().st_size for path in (folder / "step-1").iterdir())

    def play() -> int:
        die_in_a_write(int(largest * share))
        return save(trainer, folder)

    assert in_child(play) == -signal.SIGXFSZ
    assert any(path.stat().st_size for path in folder.glob(".staging*/*"))  # a part of it was written
    newest = newest_valid(folder)
    assert newest is not None
    assert [newest.step] == [c.step for c in list_checkpoints(folder)] == [1]
    remove_staged(folder)
    assert in_child(lambda: save(trainer, folder)) == SAVED


def save(trainer: Any, folder: Path) -> int:
    """Save; return an exit code."""
    try:
        save_checkpoint(trainer, folder, COUNTS)
    except CheckpointError as error:
        return FULL if error.disk_full else REFUSED
    return SAVED


@pytest.mark.skipif(not CAN_REFUSE, reason="needs Linux's system call filters")
@pytest.mark.parametrize("calls", [("fsync",), ("write", "pwrite64", "writev")], ids=["sync", "write"])
@pytest.mark.parametrize(("code", "outcome"), [(errno.EIO, REFUSED), (errno.ENOSPC, FULL)], ids=["EIO", "ENOSPC"])
def test_checkpoint_that_the_kernel_refuses_counts_as_failed_and_leaves_nothing(
    trainer: Any, context: Context, calls: tuple[str, ...], code: int, outcome: int
) -> None:
    folder = context.folder.checkpoints

    def play() -> int:
        refuse(code, *calls, from_bytes=BLOCK)
        return save(trainer, folder)

    torch.set_num_threads(1)
    assert in_child(play) == outcome
    assert [c.step for c in list_checkpoints(folder)] == [1]
    assert not list(folder.glob(".staging*"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_checkpoint_on_a_full_disk_says_so_and_leaves_the_one_before_whole(
    trainer: Any, context: Context, tmp_path: Path, share: float
) -> None:
    if not can_mount(tmp_path):
        pytest.skip("this machine lets nobody mount a disk of their own")
    disk = tmp_path / "disk"
    disk.mkdir()
    earlier = context.folder.checkpoints / "step-1"
    kept = {path.name: path.read_bytes() for path in earlier.iterdir()}
    size = sum(-(-len(content) // BLOCK) * BLOCK for content in kept.values())

    def play() -> int:
        mount_small_disk(disk, int(size * (1 + share)))
        (disk / "step-1").mkdir()
        for name, content in kept.items():
            (disk / "step-1" / name).write_bytes(content)
        outcome = save(trainer, disk)
        newest = newest_valid(disk)
        whole = newest is not None and newest.step == 1 and not list(disk.glob(".staging*"))
        return outcome if whole else DAMAGED

    torch.set_num_threads(1)
    assert in_child(play) == FULL


class Interrupts(Watcher):
    """A watcher to which something happens at a step."""

    def __init__(self, context: Context, *, step: int, then: Callable[[], None], within: bool = False) -> None:
        super().__init__(context, read_rows(context.folder, "validation"))
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
    watcher.trainer = make_trainer(context, read_rows(context.folder, "train"), watcher)
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
    context.spec = context.spec.model_copy(update={"checkpoint_interval_s": 0.0, "eval_steps": 100})
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    saved = [r.data.step for r in records if isinstance(r.data, CheckpointData)]
    assert saved == list(range(1, context.spec.total_steps + 1))


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
    watcher = Watcher(stopped, read_rows(context.folder, "validation"))
    watcher.trainer = make_trainer(stopped, read_rows(context.folder, "train"), watcher)
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
    assert train.find_resume(again(context)) == older
    assert [checkpoint.step for checkpoint in list_checkpoints(folder)] == [older.step]


@pytest.mark.parametrize("content", ["", "{}", "[]", "null"])
def test_checkpoint_whose_manifest_says_nothing_is_damaged(trainer: Any, context: Context, content: str) -> None:
    [checkpoint] = list_checkpoints(context.folder.checkpoints)
    assert damage(checkpoint) is None
    (checkpoint.path / MANIFEST).write_text(content)
    assert damage(checkpoint) is not None
    assert newest_valid(context.folder.checkpoints) is None
