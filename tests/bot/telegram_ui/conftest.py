from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.harness import FakeClock
from tests.bot.telegram_ui.harness import Story, running_bot
from tests.fakes.agent_server import FakeAgent
from tests.fakes.telegram_server import running_telegram


@pytest.fixture
async def story(agent: FakeAgent) -> AsyncIterator[Story]:
    """A Telegram, an agent and a person, and no bot yet."""
    clock = FakeClock()
    async with running_telegram(clock.now) as telegram:
        yield Story(telegram, agent, clock)


@pytest.fixture
async def bot(story: Story, tmp_path: Path) -> AsyncIterator[Story]:
    async with running_bot(story, tmp_path):
        yield story
