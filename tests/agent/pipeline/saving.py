"""A checkpoint saved in a process that is killed at one of its disk operations, or is refused them."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.job_folder.checkpoint_files import Counts
from agent.pipeline.checkpoint_writer import CheckpointError, save_checkpoint
from tests.kernel_faults import in_child

COUNTS = Counts(best_loss=1.0, best_step=1, bad_evaluations=0, trained_tokens=10)
SAVED, REFUSED, FULL, DAMAGED = range(4)  # exit codes of a process that saves
DISK_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fsync"}


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


def save(trainer: Any, folder: Path) -> int:
    """Save; return an exit code."""
    try:
        save_checkpoint(trainer, folder, COUNTS)
    except CheckpointError as error:
        return FULL if error.disk_full else REFUSED
    return SAVED
