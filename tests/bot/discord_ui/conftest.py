from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.discord_ui.harness import Story, running_bot
from tests.bot.harness import FakeClock
from tests.fakes.agent_server import FakeAgent
from tests.fakes.discord_server import running_discord


@pytest.fixture
async def story(agent: FakeAgent) -> AsyncIterator[Story]:
    """A Discord, an agent and a person, and no bot yet."""
    clock = FakeClock()
    async with running_discord(clock.now) as discord:
        yield Story(discord, agent, clock)


@pytest.fixture
async def bot(story: Story, tmp_path: Path) -> AsyncIterator[Story]:
    async with running_bot(story, tmp_path):
        yield story
