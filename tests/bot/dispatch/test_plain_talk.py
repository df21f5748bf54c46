"""Words that are no command are answered by what they mean, or by buttons."""

from pathlib import Path

import pytest

from bot.core.reply import Button, Reply
from shared.jobs import JobStatus
from tests.bot.harness import Bot, open_bot
from tests.fakes.agent_server import FakeAgent


def flat(reply: Reply) -> str:
    return " ".join(reply.text.split())


@pytest.fixture
def two(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, job #1 pirate, which is done, and job #2 robot, which runs."""
    agent.succeed(agent.add_job(suffix="pirate", status=JobStatus.running).id)
    agent.step(agent.add_job(suffix="robot", status=JobStatus.running).id, 5)
    return bot


async def test_what_only_looks_is_done_at_once(two: Bot) -> None:
    assert flat(await two.say("", said="how far is it?")).startswith("robot · training 11 %")
    assert flat(await two.say("", said="how far is pirate?")).startswith("✓ pirate is ready")
    assert flat(await two.say("", said="which models are there?")).startswith("Models To learn from")


async def test_what_asks_first_is_begun_and_what_changes_something_is_a_button(agent: FakeAgent, two: Bot) -> None:
    asked = await two.say("", said="stop robot please")
    assert agent.jobs["ftjob-2"].status is JobStatus.running, "it asks first"
    assert any(button.line.startswith("/cancel #2 yes") for button in asked.buttons)
    offered = await two.say("", said="i need my gpu, pause robot")
    assert Button(label="Pause", line="/pause #2") in offered.buttons
    assert not agent.jobs["ftjob-2"].pausing


async def test_a_file_that_was_sent_is_trained_on_by_its_name(agent: FakeAgent, bot: Bot) -> None:
    file = agent.add_file("pirate.jsonl", b"{}")
    offered = await bot.say("", said="train on pirate")
    assert offered.buttons[0] == Button(label="Train on pirate.jso…", line=f"/finetune file:{file.id}")


async def test_what_nobody_understands_has_a_way_on(bot: Bot) -> None:
    reply = await bot.say("", said="The weather is nice.")
    assert flat(reply).startswith("I did not quite get that.")
    assert [button.line for button in reply.buttons] == ["/finetune sample", "/status", "/help"]


async def test_while_the_agent_is_away_a_button_is_offered_all_the_same(agent: FakeAgent, tmp_path: Path) -> None:
    await agent.stop()
    async with open_bot(agent, tmp_path) as bot:
        assert (await bot.say("", said="mach weiter")).buttons[0].line == "/resume"
