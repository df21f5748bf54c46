"""The walls around a child that reads an untrusted file: memory, CPU time, file size, open files, no network."""

import errno
import sys
from typing import Any

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, grouped

OPEN_FILES = 64


def limit_this_process(memory_mib: int, cpu_s: int, file_bytes: int = 0) -> None:
    """Bound memory, CPU time, file size and open files, and refuse every socket, for the rest of this process.

    More memory is a MemoryError, more CPU time the signal SIGXCPU, more bytes or files an OSError.
    """
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock still holds
        pass
    else:
        for limit, value, hard in (
            (resource.RLIMIT_AS, memory_mib << 20, memory_mib << 20),
            (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # at the hard one it is killed without a word
            (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
            (resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES),
            (resource.RLIMIT_CORE, 0, 0),  # its memory is somebody's data
        ):
            resource.setrlimit(limit, (value, hard))

    def refuse_sockets(event: str, _args: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise PermissionError(errno.ENETUNREACH, "the inspect child has no network")

    sys.addaudithook(refuse_sockets)


def limit_in_words(error: MemoryError | OSError, memory_mib: int) -> str | None:
    """Say which limit was hit, as the end of “Reading the file …”; None if it was none of them."""
    if isinstance(error, MemoryError):
        return _("needs more memory than the {limit} MiB that it may have", limit=grouped(memory_mib))
    return {
        errno.ENOMEM: _("needs more memory than the {limit} MiB that it may have", limit=grouped(memory_mib)),
        errno.EMFILE: _("needs more than {limit} open files", limit=OPEN_FILES),
        errno.EFBIG: _("wanted to write more than it may"),
        errno.ENETUNREACH: _("wanted the network, which it does not have"),
    }.get(error.errno or 0)


def dataset_refusal(happened: str) -> AgentError:
    """Say that a dataset could not be read, and why."""
    return AgentError(
        _(
            "Reading the file {happened}. Send a smaller or simpler one; the agent's log has the details.",
            happened=happened,
        ),
        code=ErrorCode.dataset_broken,
    )
