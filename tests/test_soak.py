"""A taste of `make soak`: a few seconds of the campaigns that need no torch."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.soak import chats, discord, telegram
from tests.soak.campaign import Campaign

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.mark.parametrize("campaign", ["trainer", "clock", "disk"])
def test_promises_are_kept_in_a_short_campaign(campaign: str) -> None:
    command = [sys.executable, "-m", "tests.soak", campaign, "--seed", "1", "--minutes", "0.08"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert played.returncode == 0, played.stdout + played.stderr
    if f"{campaign}: skipped" in played.stdout:
        pytest.skip(played.stdout)  # no small disk can be mounted here
    assert f"{campaign}: kept" in played.stdout


@pytest.mark.parametrize("chat", [telegram, discord])
def test_a_story_in_a_chat_outlives_two_kills_of_the_bot(chat: ModuleType, tmp_path: Path) -> None:
    campaign = Campaign(name="chats", seed=1, minutes=None, work=tmp_path)
    assert chats.run(campaign, chat.visit, stories=1, kills=2).startswith("2 kills of the bot, 1 stories")
