"""The walls around a child that reads an untrusted file: memory, CPU time, file size, open files, no network."""

import sys
from typing import Any


def limit_this_process(memory_mib: int, cpu_s: int, file_bytes: int = 0) -> None:
    """Bound memory, CPU time, file size and open files, and refuse every socket, for the rest of this process."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock still holds
        pass
    else:
        for limit, value in (
            (resource.RLIMIT_AS, memory_mib << 20),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_FSIZE, file_bytes),
            (resource.RLIMIT_NOFILE, 64),
        ):
            resource.setrlimit(limit, (value, value))

    def refuse_sockets(event: str, _args: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise PermissionError("the inspect child has no network")

    sys.addaudithook(refuse_sockets)
