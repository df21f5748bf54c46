"""Which run of the system this is: a process id from another run says nothing."""

from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux's own; elsewhere the minute of the start must do


def boot_id() -> str:
    """Return what stays the same until the machine starts again."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time() // 60:.0f}"
