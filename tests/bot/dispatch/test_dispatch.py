import asyncio
from pathlib import Path

import pytest

from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from tests.bot.harness import Bot, open_bot
from tests.fakes.agent_server import FakeAgent


async def test_an_unknown_command_names_the_nearest(bot: Bot) -> None:
    assert "Did you mean /status?" in (await bot.say("/stats")).text
    assert "/help" in (await bot.say("/xyzzy")).text


async def test_an_unexpected_error_shows_no_traceback_and_is_logged(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    async def run(_call: Call, _core: Core, _answer: Answer) -> None:
        raise RuntimeError("secret inside")

    broken = Command(name="broken", usage="", summary="", run=run)
    bot.core = Core(**{**vars(bot.core), "commands": (broken,)})
    text = (await bot.say("/broken")).text
    assert "Something went wrong" in text
    assert "secret" not in text
    assert "Traceback" not in text
    assert "secret inside" in caplog.text


@pytest.mark.parametrize(
    "line",
    ["/finetune sample", "/jobs", "/status", "/pause", "/resume #1", "/cancel", "/cancel #1", "/plot", "/models"],
)
async def test_every_command_answers_while_the_agent_is_down(agent: FakeAgent, tmp_path: Path, line: str) -> None:
    await agent.stop()
    async with open_bot(agent, tmp_path) as bot:
        async with asyncio.timeout(1):
            text = (await bot.say(line)).text
        assert f"I cannot reach the agent at {agent.url} since " in text.replace("\n", " ")


async def test_help_needs_no_agent(agent: FakeAgent, tmp_path: Path) -> None:
    await agent.stop()
    async with open_bot(agent, tmp_path) as bot:
        assert (await bot.say("/help")).buttons[0].line == "/finetune sample"


async def test_all_say_the_same_since_when_the_agent_is_away(agent: FakeAgent, tmp_path: Path) -> None:
    await agent.stop()
    async with open_bot(agent, tmp_path) as bot:
        first = (await bot.say("/jobs")).text
        bot.clock.advance(600)
        assert (await bot.say("/jobs")).text == first


async def test_a_slow_agent_is_waited_for_with_a_word(agent: FakeAgent, bot: Bot) -> None:
    agent.delay_s = 1.0
    talking = asyncio.create_task(bot.say("/models"))
    async with asyncio.timeout(1):
        await bot.until(lambda: bool(bot.chat.messages))
    assert "One moment" in bot.chat.last.text
    assert "smollm2-135m" in (await talking).text
    assert len(bot.chat.messages) == 1


async def test_a_refused_key_says_which_setting_to_look_at(agent: FakeAgent, tmp_path: Path) -> None:
    async with open_bot(agent, tmp_path, key="wrong") as bot:
        assert "HEARTH_AGENT_KEY" in (await bot.say("/jobs")).text


async def test_what_is_no_agent_is_told_apart_from_no_answer(agent: FakeAgent, tmp_path: Path) -> None:
    agent.url += "/elsewhere"
    async with open_bot(agent, tmp_path) as bot:
        assert "Is that a Hearth agent?" in (await bot.say("/jobs")).text.replace("\n", " ")
