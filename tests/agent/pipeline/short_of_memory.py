"""The trainer, with so many MiB of address space as its model's load has left it and as many more as are given.

The limit stays over the fresh start of a job that adapts itself, as a container's would.
"""

import resource
import sys
from importlib import import_module
from pathlib import Path

from agent.pipeline.__main__ import main
from agent.pipeline.context import Context
from agent.pipeline.load import loaded_model

MIB = 1 << 20


def mapped_bytes() -> int:
    """Return what this process has mapped now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def limited(stage: str, more_mib: int) -> None:
    """Let a stage begin with a limit, if none is set yet."""
    module = import_module(f"agent.pipeline.{stage}")
    begin = module.run

    def run(context: Context) -> None:
        loaded_model(context)
        limit = mapped_bytes() + more_mib * MIB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        begin(context)

    module.run = run  # type: ignore[attr-defined]


if __name__ == "__main__":
    limited(sys.argv[1], int(sys.argv[2]))
    sys.argv[1:] = sys.argv[3:]
    main()
