"""The disk floor: what is taken in must leave that much free, also together with all that is on its way."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, decimal

MIB = 1024 * 1024


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that a folder is on."""
    return shutil.disk_usage(folder).free


class DiskReservation:
    """What somebody was promised of the disk, as far as they have not written it yet."""

    def __init__(self, disk: "Disk", size: int) -> None:
        self._disk = disk
        self.left = size

    def write(self, size: int) -> None:
        """Note that so much is about to be written. Raises insufficient_disk where that would go below the floor."""
        self.left = max(0, self.left - size)
        self._disk.check(size)


class Disk:
    """Promises room above the floor."""

    def __init__(self, data_dir: Path, *, floor_mib: int, free: Callable[[Path], int] = free_bytes) -> None:
        self._data_dir = data_dir
        self._floor = floor_mib * MIB
        self._free = free
        self._promised: list[DiskReservation] = []

    @contextmanager
    def room(self, size: int) -> Iterator[DiskReservation]:
        """Promise room for `size` bytes as long as the block lasts. Raises insufficient_disk."""
        self.check(size)
        room = DiskReservation(self, size)
        self._promised.append(room)
        try:
            yield room
        finally:
            self._promised.remove(room)

    def check(self, size: int) -> None:
        """Raise insufficient_disk where `size` more bytes, beside all that is promised, would go below the floor."""
        free = self._free(self._data_dir)
        promised = sum(room.left for room in self._promised)
        if free - promised - size >= self._floor:
            return
        if free < size:
            raise AgentError(
                _("The agent's disk is full. Free some space, then send it again."), code=ErrorCode.insufficient_disk
            )
        raise AgentError(
            _(
                "The disk of the GPU machine has {free} MiB free, {promised} MiB of them for files on their way, and "
                "{floor} MiB stay free. So there is no room for {size} MiB more. Send a smaller file, or ask the "
                "machine's owner to delete something.",
                free=decimal(free / MIB, 0),
                promised=decimal(promised / MIB, 0),
                floor=decimal(self._floor / MIB, 0),
                size=decimal(size / MIB, 1),
            ),
            code=ErrorCode.insufficient_disk,
        )
