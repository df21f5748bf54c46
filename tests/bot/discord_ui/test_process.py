"""The bot as a process with a Discord token: what ends it, what does not, and what it writes down."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.discord_ui.texts import NOT_LET_IN
from tests.bot.process import bot_process, environment, on_discord
from tests.fakes.agent_server import FakeAgent
from tests.fakes.discord_server import TOKEN, FakeDiscord, Person, running_discord

pytestmark = pytest.mark.process

MIA = 7


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with running_discord(time.time) as server:
        yield server


def bot(
    agent: FakeAgent, discord: FakeDiscord, folder: Path, *, token: str = TOKEN
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return bot_process(folder, environment(folder, agent.url, **on_discord(discord, token)))


async def connected(discord: FakeDiscord, *, logins: int = 1) -> None:
    while len(discord.gateway.identified) < logins or not discord.gateway.connected:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def said(discord: FakeDiscord, channel: int, text: str) -> None:
    while not any(text in message.text for message in discord.messages(channel)):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_it_serves_without_a_keyboard_until_sigterm_and_leaves_a_clean_log(
    agent: FakeAgent, discord: FakeDiscord, tmp_path: Path
) -> None:
    mia = Person(discord, MIA, "Mia")
    async with bot(agent, discord, tmp_path) as process:
        await connected(discord)
        await mia.slash("jobs")
        await said(discord, mia.direct, "No jobs yet")
        process.send_signal(signal.SIGTERM)
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0
    log = (tmp_path / "bot" / "bot.log").read_text()
    assert TOKEN not in log
    assert "Traceback" not in log
    assert "WARNING" not in log


async def test_a_bad_token_is_one_line_without_it(agent: FakeAgent, discord: FakeDiscord, tmp_path: Path) -> None:
    async with bot(agent, discord, tmp_path, token="NDI0Mg.mistyped") as process:
        out, err = await process.communicate()
    assert (out, err.decode()) == (b"", f"{NOT_LET_IN}\n")
    assert process.returncode == 2
    log = (tmp_path / "bot" / "bot.log").read_text()
    assert log.count(NOT_LET_IN) == 1
    assert "NDI0Mg" not in log
    assert "Traceback" not in log


async def test_killed_between_a_call_and_its_answer_the_next_bot_answers_it_once(
    agent: FakeAgent, discord: FakeDiscord, tmp_path: Path
) -> None:
    mia = Person(discord, MIA, "Mia")
    gate = agent.gate("POST", "/v1/files")
    async with bot(agent, discord, tmp_path) as process:
        await connected(discord)
        await mia.slash("finetune", file=("rows.jsonl", b'{"messages": []}\n'), name="mia")
        await gate.reached.wait()
        process.kill()
        await process.communicate()
    gate.open.set()
    agent.gates.remove(gate)
    async with bot(agent, discord, tmp_path):
        await said(discord, mia.direct, "rows.jsonl · ")
    assert len(discord.messages(mia.direct)) == 1
    assert [request.suffix for request in agent.plan_requests] == ["mia"]
