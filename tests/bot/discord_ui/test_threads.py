"""A job's thread: there from its card on, kept awake, and done without where there can be none."""

from pathlib import Path

import pytest

from tests.bot.discord_ui.harness import MIA, Story, running_bot
from tests.fakes.discord_server.world import THREAD, Channel

NO_THREADS = "I may not begin threads in this channel"


def threads(bot: Story) -> list[Channel]:
    return [it for it in bot.discord.world.channels.values() if it.type == THREAD]


async def ended(bot: Story) -> None:
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)


async def archive(bot: Story, thread: Channel) -> None:
    thread.archived = True
    await bot.discord.gateway.dispatch("THREAD_UPDATE", bot.discord.world.channel_json(thread))
    await bot.settled()


async def test_a_thread_begins_with_the_card_and_takes_in_all_that_comes_later(bot: Story) -> None:
    card = await bot.starts_a_job()
    [thread] = threads(bot)
    assert (thread.id, thread.name, thread.minutes) == (card.id, "toast-1", 10080)
    assert bot.shown(thread.id) == []
    await bot.mia.slash("log", channel=bot.team, job="#1")
    await bot.until(lambda: bot.last(thread.id).files == ["toast-1.log.txt"])
    assert bot.last().text.startswith("Log · #1 toast")
    await ended(bot)
    assert bot.last(thread.id).files[0] == "toast.gguf"
    assert threads(bot) == [thread]


async def test_a_restarted_bot_finds_the_thread_of_a_job(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
    async with running_bot(story, tmp_path):
        await ended(story)
    [thread] = threads(story)
    assert "toast.gguf" in story.last(thread.id).files


@pytest.mark.parametrize("where", ["in private", "in a thread"])
async def test_no_thread_begins_where_there_can_be_none(bot: Story, where: str) -> None:
    channel = bot.mia.direct
    if where == "in a thread":
        channel = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=MIA).id
    before = len(threads(bot))
    await bot.starts_a_job(channel=channel)
    await ended(bot)
    assert "toast.gguf" in bot.last(channel).files
    assert len(threads(bot)) == before
    assert not [call for call in bot.discord.called if call.endswith("/threads")]


async def test_a_thread_that_fell_asleep_wakes_up_with_the_next_change_of_the_card(bot: Story) -> None:
    card = await bot.starts_a_job()
    [thread] = threads(bot)
    await archive(bot, thread)
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in card.text and not thread.archived, step_s=0.5)
    assert threads(bot) == [thread]


async def test_where_threads_are_not_allowed_that_is_said_once_and_all_goes_on_in_the_channel(bot: Story) -> None:
    bot.discord.world.channels[bot.team].threads_allowed = False
    await bot.starts_a_job()
    await bot.until(lambda: NO_THREADS in bot.flat())
    await bot.starts_a_job(name="second")
    bot.agent.succeed("ftjob-2")
    await ended(bot)
    assert [message.files for message in bot.shown()].count([]) == 5  # two cards, two results, one sentence
    assert sum("toast.gguf" in message.files for message in bot.shown()) == 2
    assert bot.flat().count(NO_THREADS) == 1
    assert threads(bot) == []


async def test_where_the_bot_may_not_write_in_a_thread_the_files_lie_beside_it(bot: Story) -> None:
    await bot.starts_a_job()
    threads(bot)[0].sends = False
    await ended(bot)
    assert "toast.gguf" in bot.last().files


async def test_a_thread_that_cannot_begin_now_is_begun_with_the_next_change(bot: Story) -> None:
    bot.discord.fail("POST", "/threads", status=400, code=50035)
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in card.text and threads(bot), step_s=0.5)
