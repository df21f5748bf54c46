"""A machine without an owner shows how to become it: to who sits there the code, to a log only where it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.launch.first_start import show_pairing
from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent

CODE = "ABCD-2345"


@asynccontextmanager
async def showing(bot: Bot, tell: Callable[..., Awaitable[object]] | None) -> AsyncIterator[None]:
    task = asyncio.create_task(show_pairing(bot.core, tell))
    try:
        yield
        assert not task.done()  # the bot would end with it
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_sits_at_the_terminal_reads_the_code_and_what_to_type(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard(CODE)
    async with showing(bot, bot.chat.post):
        await bot.until(lambda: bool(bot.chat.messages))
    assert bot.chat.last.copy[0].lines == (f"/pair {CODE}",)
    assert "Discord or Telegram" in bot.chat.last.copy[0].intro


async def test_without_a_terminal_the_log_says_where_the_code_is_and_not_the_code(
    agent: FakeAgent, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    agent.people.guard(CODE)
    async with showing(bot, None):
        await bot.until(lambda: "“hearth-agent pairing-code” on the GPU machine prints its code" in caplog.text)
    assert CODE not in caplog.text


async def test_a_machine_with_an_owner_says_nothing(agent: FakeAgent, bot: Bot) -> None:
    agent.people.own("test", "ada", "Ada")
    async with showing(bot, bot.chat.post):
        await bot.until(lambda: "/v1/people/me" in agent.asked)
        await asyncio.sleep(0)
    assert not bot.chat.messages


async def test_the_code_is_shown_when_the_agent_is_there_at_last(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard(CODE)
    await agent.stop()
    async with showing(bot, bot.chat.post):
        await bot.until(lambda: bot.core.agent.lost_since is not None)
        await agent.restart()
        await bot.until(lambda: bool(bot.chat.messages), step_s=1)
    assert CODE in bot.chat.last.copy[0].lines[0]
