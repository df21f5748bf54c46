"""Who holds which job's lock, read from /proc/locks: trying a lock would take it for an instant."""

import asyncio
from pathlib import Path

from tests.soak.campaign import Campaign

LOCKS = Path("/proc/locks")
LOOK_S = 0.05


def trainers_at_work(jobs_dir: Path) -> dict[str, int]:
    """Return the jobs whose lock a trainer holds now, each with the trainer's pid; nothing where it cannot be seen."""
    if not LOCKS.exists():
        return {}
    held = {}
    for line in LOCKS.read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK":  # one that waits has an arrow there
            held[int(words[5].rpartition(":")[2])] = int(words[4])
    if not held:
        return {}
    inodes = {path.stat().st_ino: path.parent.name for path in jobs_dir.glob("*/lock")}
    return {inodes[inode]: pid for inode, pid in held.items() if inode in inodes and _is_trainer(pid)}


def _is_trainer(pid: int) -> bool:
    """Say whether it is one, and not an agent that looks whether the lock is held."""
    try:
        return b"trainer.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def watch_for_two(campaign: Campaign, jobs_dir: Path) -> None:
    """Look again and again until cancelled."""
    while True:
        found = trainers_at_work(jobs_dir)
        campaign.promise(len(found) < 2, f"two trainers at once: {found}")
        await asyncio.sleep(LOOK_S)
