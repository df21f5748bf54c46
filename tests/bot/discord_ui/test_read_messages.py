"""HEARTH_DISCORD_READ_MESSAGES: heard without a mention in threads of jobs and talks, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.discord_ui.texts import NO_CONTENT_INTENT
from shared.jobs import JobStatus
from tests.bot.discord_ui.harness import MIA, ROWS, Story, running_bot
from tests.fakes.discord_server import Person
from tests.fakes.discord_server.gateway import MESSAGE_CONTENT
from tests.fakes.discord_server.world import THREAD

TOM = 8


@pytest.fixture
async def reader(story: Story, tmp_path: Path) -> AsyncIterator[Story]:
    """A bot that was let read, by its setting and by Discord."""
    story.discord.gateway.granted = MESSAGE_CONTENT
    async with running_bot(story, tmp_path, read_messages=True):
        yield story


async def job_thread(bot: Story) -> int:
    """Return the thread of a job, which its log has begun."""
    await bot.starts_a_job()
    return (await bot.gets_a_thread()).id


async def their_thread(bot: Story) -> int:
    """Return a thread that a person has begun."""
    thread = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=MIA)
    await bot.discord.gateway.dispatch("THREAD_CREATE", bot.discord.world.channel_json(thread))
    await bot.settled()
    return thread.id


async def test_in_the_thread_of_a_job_words_are_heard_without_a_mention(reader: Story) -> None:
    thread = await job_thread(reader)
    await reader.mia.write("which models are there", channel=thread)
    await reader.says("Models", channel=thread)
    await reader.mia.write("", ROWS, channel=thread)
    await reader.planned(channel=thread)


async def test_elsewhere_on_a_server_it_stays_silent_unless_it_is_named(reader: Story) -> None:
    thread = await their_thread(reader)
    for where in (reader.team, thread):
        await reader.mia.write("which models are there", ROWS, channel=where)
    await reader.settled()
    assert not reader.shown()
    assert not reader.shown(thread)
    await reader.mia.write("which models are there", channel=thread, naming_the_bot=True)
    await reader.says("Models", channel=thread)


async def test_a_talk_in_a_thread_goes_on_without_a_mention_for_who_began_it(reader: Story) -> None:
    reader.agent.succeed(reader.agent.add_job(status=JobStatus.running).id)
    thread, tom = await their_thread(reader), Person(reader.discord, TOM, "Tom")
    await reader.mia.slash("chat", job="#1", channel=thread)
    await reader.until(lambda: reader.last(thread).labels == ["New talk", "End"])
    await reader.mia.write("and then?", channel=thread)
    await reader.until(lambda: reader.agent.questions[-1].messages[-1].content == "and then?")
    asked = len(reader.agent.questions)
    await tom.write("what is this?", channel=thread)
    await reader.mia.write("and in the channel?", channel=reader.team)
    await reader.settled()
    assert len(reader.agent.questions) == asked
    await reader.mia.press("End", channel=thread)
    await reader.until(lambda: "The talk is over" in reader.flat(thread))
    shown = len(reader.shown(thread))
    await reader.mia.write("still there?", channel=thread)
    await reader.settled()
    assert len(reader.shown(thread)) == shown


async def test_what_is_said_to_somebody_else_is_not_answered(reader: Story) -> None:
    thread, tom = await job_thread(reader), Person(reader.discord, TOM, "Tom")
    shown = len(reader.shown(thread))
    await reader.mia.write("which models do you use?", channel=thread, naming=tom)
    said = tom.send(channel=thread)
    await reader.mia.write("which models are there", channel=thread, answers=said)
    await reader.settled()
    assert len(reader.shown(thread)) == shown


async def test_without_the_setting_no_words_are_asked_for_and_none_are_heard(bot: Story) -> None:
    bot.discord.gateway.granted = MESSAGE_CONTENT
    assert not bot.discord.gateway.identified[-1] & MESSAGE_CONTENT
    thread = await job_thread(bot)
    shown = len(bot.shown(thread))
    await bot.mia.write("which models are there", channel=thread)
    await bot.settled()
    assert len(bot.shown(thread)) == shown


async def test_where_discord_refuses_it_says_where_to_switch_it_on_and_goes_on(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_bot(story, tmp_path, read_messages=True):
        assert not story.discord.gateway.identified[-1] & MESSAGE_CONTENT
        await story.mia.slash("jobs", channel=story.team)
        await story.says("No jobs yet")
        await story.discord.gateway.close(4000)  # it does not ask again
        await story.until(lambda: story.discord.gateway.connected, step_s=1)
    assert capsys.readouterr().err == f"{NO_CONTENT_INTENT}\n"
    assert "Message Content Intent" in NO_CONTENT_INTENT
    assert "Developer Portal" in NO_CONTENT_INTENT
