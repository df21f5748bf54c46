"""Whether a process that a test did not start itself has ended."""

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Say so also of a zombie: in a container, nobody may be there to reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
