"""Disks that are full at the start and in the middle: the agent's data folder on a small tmpfs.

The mount lives in a user namespace, so no rights are needed where the system allows those; `full_disk` plays inside.
"""

import shutil
import subprocess
import sys

from tests.soak.campaign import BrokenPromise, Campaign, Skipped

SIZE_MIB = 160  # more than aftermath.CROWDED_MIB, less than a person waits for to be filled
MINUTES = 2.0
MOUNT = f'mount -t tmpfs -o size={SIZE_MIB}m tmpfs "$1"'


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    folder = campaign.work / "disk"
    folder.mkdir()
    if not _can_mount(str(folder)):
        raise Skipped("cannot mount here")
    minutes = MINUTES if campaign.minutes is None else campaign.minutes
    seed = campaign.dice.randrange(2**31)
    inside = [sys.executable, "-m", "tests.soak.full_disk", str(folder), str(seed), str(minutes)]
    script = f'{MOUNT} && shift && exec "$@"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", str(folder), *inside], capture_output=True)
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise BrokenPromise(said)
    return said.strip().splitlines()[-1]


def _can_mount(folder: str) -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", MOUNT, "sh", folder], capture_output=True)
    return tried.returncode == 0
