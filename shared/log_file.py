"""The file into which a child process writes its output: kept within a size, and read from its end.

The child keeps it open, so nothing can rename it: what it holds is copied to a second file, and it begins anew. A line
written in that moment may be lost.
"""

import contextlib
import os
import shutil
from pathlib import Path

MOST_BYTES = 4 * 1024 * 1024  # in the log; as much again in what it held before


def before(log: Path) -> Path:
    """Return where the earlier part of a log is."""
    return log.with_name(f"{log.name}.1")


def keep_within(log: Path, most: int = MOST_BYTES) -> None:
    """Let a log that has grown over `most` bytes begin anew; it was opened for appending by who writes it."""
    try:
        if log.stat().st_size <= most:
            return
        with contextlib.suppress(OSError):  # on a full disk what was said before is lost, which frees its room
            _copy_end(log, before(log), most)
        os.truncate(log, 0)
    except FileNotFoundError:
        return


def last_lines(log: Path, count: int, *, window: int = MOST_BYTES) -> list[str]:
    """Return the last `count` lines of a log, of its earlier part too; at most `window` bytes of each are read."""
    lines: list[str] = []
    for path in (log, before(log)):
        if len(lines) < count:
            lines = _last_of(path, window) + lines
    return lines[-count:]


def _copy_end(log: Path, to: Path, most: int) -> None:
    with log.open("rb") as source, to.open("wb") as target:
        source.seek(max(0, source.seek(0, os.SEEK_END) - most))
        shutil.copyfileobj(source, target)


def _last_of(path: Path, window: int) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - window))
            return file.read().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
