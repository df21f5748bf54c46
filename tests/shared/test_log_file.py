"""What a child prints without end fills no disk, and its last words can still be read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.log_file import before, keep_within, last_lines

LINES = [f"step {number}" for number in range(1000)]


def written(path: Path, lines: list[str]) -> Path:
    with path.open("a") as log:
        log.write("".join(f"{line}\n" for line in lines))
    return path


def test_a_log_begins_anew_once_it_is_too_large_and_what_it_held_is_kept(tmp_path: Path) -> None:
    log = written(tmp_path / "agent.log", LINES)
    held = log.read_bytes()
    keep_within(log, len(held))
    assert log.read_bytes() == held
    keep_within(log, len(held) - 1)
    assert log.read_bytes() == b""
    assert before(log).read_bytes() == held[1:]


def test_a_log_that_grew_unwatched_leaves_no_more_than_its_bound_twice(tmp_path: Path) -> None:
    log = written(tmp_path / "agent.log", LINES)
    keep_within(log, 100)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200


def test_the_last_lines_are_read_over_the_gap(tmp_path: Path) -> None:
    log = written(tmp_path / "agent.log", LINES)
    keep_within(log, 100)
    written(log, ["last but one", "last"])
    assert last_lines(log, 1) == ["last"]
    assert last_lines(log, 4) == [*LINES[-2:], "last but one", "last"]


def test_no_log_has_no_lines_and_no_bound(tmp_path: Path) -> None:
    keep_within(tmp_path / "agent.log")
    assert last_lines(tmp_path / "agent.log", 5) == []
    assert not list(tmp_path.iterdir())


def test_a_disk_too_full_for_a_copy_is_freed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    log = written(tmp_path / "agent.log", LINES)
    keep_within(log, 100)
    assert log.stat().st_size == 0


@pytest.mark.process
def test_whoever_writes_the_log_goes_on_at_its_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    child = "import sys\nfor line in sys.stdin:\n    print(line, end='', flush=True)\n    print('x', file=sys.stderr)\n"
    with (
        log.open("ab") as sink,
        subprocess.Popen([sys.executable, "-uc", child], stdin=-1, stdout=sink, stderr=-1, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stderr is not None
        for line in ("before\n", "behind\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stderr.readline() == "x\n"
            if line == "before\n":
                keep_within(log, 1)
    assert log.read_bytes() == b"behind" + os.linesep.encode()
