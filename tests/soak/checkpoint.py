"""SIGKILL, EIO and ENOSPC at each disk operation of a checkpoint, and changed bytes, over several models."""

import os
import subprocess
import sys
from pathlib import Path

from tests.soak.campaign import BrokenPromise, Campaign

SEEDS = 5
CASES = Path(__file__).with_name("checkpoint_cases.py")
FIXTURES = "tests.agent.pipeline.conftest"
END_S = 15 * 60.0  # without --minutes


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    seeds = [str(campaign.dice.randrange(1000)) for _ in range(SEEDS)]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--timeout=600", "-p", FIXTURES, str(CASES)]
    campaign.tell(f"HEARTH_SOAK_SEEDS={','.join(seeds)} {' '.join(command)}")
    environment = {**os.environ, "HEARTH_SOAK_SEEDS": ",".join(seeds)}
    said = campaign.work / "said"
    with said.open("wb") as file:
        cases = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        while cases.poll() is None:
            if not campaign.has_time(END_S / 60):
                cases.terminate()
            try:
                cases.wait(1)
            except subprocess.TimeoutExpired:
                campaign.note(f"{said.read_text(errors='replace').count('.')} cases")
    text = said.read_text(errors="replace")
    if cases.returncode > 0:
        raise BrokenPromise(text[-8000:])
    return text.strip().splitlines()[-1].strip("= ") if cases.returncode == 0 else "ended by the time"
