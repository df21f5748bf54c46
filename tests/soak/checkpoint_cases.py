"""What `checkpoint` plays, with pytest for its fixtures; pytest alone does not collect a file of this name."""

import errno
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.job_folder.checkpoint_files import MANIFEST, damage, list_checkpoints, newest_valid, remove, remove_staged
from agent.pipeline.checkpoint_writer import save_checkpoint
from agent.pipeline.context import Context
from tests.agent.pipeline.saving import COUNTS, FULL, REFUSED, SAVED, NthOperation, save, save_and_die
from tests.kernel_faults import in_child

SEEDS = [int(seed) for seed in os.environ["HEARTH_SOAK_SEEDS"].split(",")]
STRUCK = 8  # added to the exit code when the fault came to pass
FLIPS = 40


@pytest.fixture(autouse=True, params=SEEDS)
def dice(request: pytest.FixtureRequest, context: Context) -> random.Random:
    """Another model for each seed: other weights, of another size."""
    seed: int = request.param
    settings = context.spec.settings.model_copy(update={"r": 2 + seed % 7})
    context.spec = context.spec.model_copy(update={"seed": seed, "settings": settings})
    return random.Random(seed)


class Fails(NthOperation):
    """Refuses the n-th operation, and with `for_good` all after it but those that delete."""

    def __init__(self, number: int, code: int, *, for_good: bool) -> None:
        super().__init__(number, lambda: None)
        self._code = code
        self._for_good = for_good

    @property
    def struck(self) -> bool:
        return self._left <= 0

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in {"os.remove", "os.rmdir"}:
            super().hook(event, arguments)

    def count(self) -> None:
        self._left -= 1
        if self._left == 0 or (self._for_good and self.struck):
            raise OSError(self._code, os.strerror(self._code))


def save_and_fail(trainer: Any, folder: Path, operation: Fails) -> int:
    """Save in a forked process to which `operation` happens; return its exit code."""

    def play() -> int:
        vars(os)["fsync"] = operation.fsync
        sys.addaudithook(operation.hook)
        try:
            outcome = save(trainer, folder)
        finally:
            operation.active = False
        return outcome + (STRUCK if operation.struck else 0)

    return in_child(play)


def clear(folder: Path) -> None:
    """Leave the checkpoint at step 1 alone."""
    remove_staged(folder)
    for checkpoint in list_checkpoints(folder):
        if checkpoint.step != 1:
            remove(checkpoint.path)


def check_whole(folder: Path) -> int:
    """What is there is undamaged; return the newest step."""
    assert [c.step for c in list_checkpoints(folder) if damage(c)] == []
    newest = newest_valid(folder)
    assert newest is not None
    return newest.step


def test_killed_at_each_operation(trainer: Any, context: Context) -> None:
    folder = context.folder.checkpoints
    lived, number = False, 0
    while not lived:
        number += 1
        lived = save_and_die(trainer, folder, number)
        assert check_whole(folder) in ({2} if lived else {1, 2})
        clear(folder)
    assert number > 10


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_each_operation_refused(trainer: Any, context: Context, code: int, for_good: bool) -> None:
    folder = context.folder.checkpoints
    struck, number = True, 0
    while struck:
        number += 1
        answer = save_and_fail(trainer, folder, Fails(number, code, for_good=for_good))
        struck, outcome = answer >= STRUCK, answer % STRUCK
        assert outcome in ({SAVED, FULL if code == errno.ENOSPC else REFUSED} if struck else {SAVED}), number
        assert check_whole(folder) in ({2} if outcome == SAVED else {1, 2})
        assert not list(folder.glob(".staging*")), number
        clear(folder)
    assert number > 10


def test_a_changed_byte_anywhere_is_seen(trainer: Any, context: Context, dice: random.Random) -> None:
    folder = context.folder.checkpoints
    for _ in range(FLIPS):
        path = save_checkpoint(trainer, folder, COUNTS).path
        victim = dice.choice(sorted(each for each in path.iterdir() if each.name != MANIFEST and each.stat().st_size))
        content = bytearray(victim.read_bytes())
        match dice.choice(["flip", "cut", "empty", "remove"]):
            case "flip":
                content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                victim.write_bytes(content)
            case "cut":
                victim.write_bytes(content[: dice.randrange(len(content))])
            case "empty":
                victim.write_bytes(b"")
            case _:
                victim.unlink()
        newest = newest_valid(folder)
        assert newest is not None
        assert newest.step == 1, victim
        clear(folder)
