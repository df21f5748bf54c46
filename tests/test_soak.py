"""A taste of `make soak`: a few seconds of the campaigns that need no torch."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("campaign", ["trainer", "clock"])
def test_promises_are_kept_in_a_short_campaign(campaign: str) -> None:
    command = [sys.executable, "-m", "tests.soak", campaign, "--seed", "1", "--minutes", "0.08"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert played.returncode == 0, played.stdout + played.stderr
    assert f"{campaign}: kept" in played.stdout
