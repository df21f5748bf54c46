"""A bot core against a fake agent over a real socket, with a chat that records what it was given."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.harness import Bot, open_bot
from tests.fakes.agent_server import FakeAgent, running_agent


@pytest.fixture
async def agent() -> AsyncIterator[FakeAgent]:
    async with running_agent() as fake:
        yield fake


@pytest.fixture
async def bot(agent: FakeAgent, tmp_path: Path) -> AsyncIterator[Bot]:
    async with open_bot(agent, tmp_path) as opened:
        yield opened
