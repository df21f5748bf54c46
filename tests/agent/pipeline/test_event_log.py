import contextlib
import errno
from pathlib import Path

import pytest

from agent.job_folder.events import read_events
from agent.pipeline.context import EventLog
from shared.events import StageData
from shared.jobs import Stage
from tests.kernel_faults import can_mount, in_child, mount_small_disk

pytestmark = pytest.mark.process

PAGE = 4096  # what a disk in memory gives room by
DATA = StageData(stage=Stage.train, done=False)


def test_a_full_disk_takes_whole_lines_or_nothing(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("this machine lets nobody mount a disk of their own")

    def play() -> int:
        mount_small_disk(tmp_path, 4 * PAGE)
        filler, path = tmp_path / "filler", tmp_path / "events.jsonl"
        log = EventLog(path)
        log.write("x" * (PAGE - 300), DATA)  # the rest of its page is too small for another line
        fill(filler)
        size = path.stat().st_size
        with pytest.raises(OSError, match="No space left") as refused:
            log.write("y" * 300, DATA)
        assert refused.value.errno == errno.ENOSPC
        assert path.stat().st_size == size
        filler.unlink()
        log.write("z", DATA)
        assert [record.message[0] for record in read_events(path, 0)[0]] == ["x", "z"]
        return 0

    assert in_child(play) == 0


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(PAGE))
