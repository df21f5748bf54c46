"""How many processes Linux has ended because memory ran out: of this machine, containers with a limit included."""

from pathlib import Path

VMSTAT = Path("/proc/vmstat")


def oom_kills() -> int | None:
    """Return the count since the machine started; None where the system does not tell."""
    try:
        lines = VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split() for line in lines if line.startswith("oom_kill ")), None)
    return int(found[1]) if found else None
