"""The walls around a child that reads an untrusted file: memory, CPU time, file size, open files, no network."""

import errno
import sys
from typing import Any

from shared.language import _, grouped

OPEN_FILES = 64
LIMITS = (errno.ENOMEM, errno.EMFILE, errno.EFBIG, errno.ENETUNREACH)


def limit_this_process(
    memory_mib: int, cpu_s: int, file_bytes: int = 0, *, open_files: int = OPEN_FILES, maps_files: bool = False
) -> None:
    """Bound memory, CPU time, file size and open files, and refuse every socket, for the rest of this process.

    More memory is a MemoryError, more CPU time the signal SIGXCPU, more bytes or files an OSError. `maps_files`: what
    it maps of files is not counted as memory, since the kernel takes that back by itself.
    """
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock still holds
        pass
    else:
        memory = resource.RLIMIT_DATA if maps_files else resource.RLIMIT_AS
        for limit, value, hard in (
            (memory, memory_mib << 20, memory_mib << 20),
            (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # at the hard one it is killed without a word
            (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
            (resource.RLIMIT_NOFILE, open_files, open_files),
            (resource.RLIMIT_CORE, 0, 0),  # its memory is somebody's data
        ):
            resource.setrlimit(limit, (value, hard))

    def refuse_sockets(event: str, _args: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise PermissionError(errno.ENETUNREACH, "a child that reads has no network")

    sys.addaudithook(refuse_sockets)


def is_a_limit(error: Exception) -> bool:
    """Say whether a limit was hit, whatever was being done."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in LIMITS)


def limit_in_words(error: MemoryError | OSError, memory_mib: int, open_files: int = OPEN_FILES) -> str | None:
    """Say which limit was hit, as the end of “Reading the file …”; None if it was none of them."""
    if isinstance(error, MemoryError):
        return _("needs more memory than the {limit} MiB that it may have", limit=grouped(memory_mib))
    return {
        errno.ENOMEM: _("needs more memory than the {limit} MiB that it may have", limit=grouped(memory_mib)),
        errno.EMFILE: _("needs more than {limit} open files", limit=open_files),
        errno.EFBIG: _("wanted to write more than it may"),
        errno.ENETUNREACH: _("wanted the network, which it does not have"),
    }.get(error.errno or 0)
