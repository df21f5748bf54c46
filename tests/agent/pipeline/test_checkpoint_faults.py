"""A checkpoint is complete or absent, whatever dies or fails while it is written."""

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from agent.job_folder.checkpoint_files import damage, list_checkpoints, newest_valid, remove, remove_staged
from agent.pipeline.context import Context
from tests.agent.pipeline.saving import DAMAGED, FULL, REFUSED, SAVED, save, save_and_die
from tests.kernel_faults import CAN_REFUSE, can_mount, die_in_a_write, in_child, mount_small_disk, refuse

pytestmark = [pytest.mark.process, pytest.mark.slow]
BLOCK = 4096  # bytes


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
