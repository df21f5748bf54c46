"""`hearth-agent`, or `python -m agent`: does one of its commands, or serves."""

import gc
import sys

from shared.imports import collector_paused

with collector_paused():
    from agent.command_line.arguments import read_command_line


def main() -> int:
    """Do what the command line says: run until SIGTERM, or one thing; return the exit code."""
    command = read_command_line(sys.argv[1:])
    if command is not None:
        return command()
    with collector_paused():
        from agent.serve import main as serve  # a command does without it, and takes a fifth less time
    gc.freeze()  # all of it stays
    return serve()


if __name__ == "__main__":
    sys.exit(main())
