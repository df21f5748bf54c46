"""A job's thread: begun at its card with the first file, kept awake, and done without where there can be none."""

from pathlib import Path

import pytest

from tests.bot.discord_ui.harness import MIA, Story, running_bot
from tests.fakes.discord_server.world import THREAD, Channel

NO_THREADS = "I may not begin threads in this channel"


async def ended(bot: Story) -> None:
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)


async def archive(bot: Story, thread: Channel) -> None:
    thread.archived = True
    await bot.discord.gateway.dispatch("THREAD_UPDATE", bot.discord.world.channel_json(thread))
    await bot.settled()


async def test_a_job_that_waits_or_runs_has_no_thread_as_long_as_there_is_nothing_to_put_in_it(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in card.text, step_s=0.5)
    assert bot.threads == []
    assert not [call for call in bot.discord.called if call.endswith("/threads")]


async def test_a_thread_begins_at_the_card_with_the_first_file_and_takes_in_all_that_comes_later(bot: Story) -> None:
    card = await bot.starts_a_job()
    thread = await bot.gets_a_thread()
    assert (thread.id, thread.name, thread.minutes) == (card.id, "toast-1", 10080)
    assert bot.last(thread.id).files == ["toast-1.log.txt"]
    assert bot.last().text.startswith("Log · #1 toast")
    await ended(bot)
    assert bot.last(thread.id).files[0] == "toast.gguf"
    assert bot.threads == [thread]


async def test_the_result_alone_begins_it_too(bot: Story) -> None:
    card = await bot.starts_a_job()
    await ended(bot)
    [thread] = bot.threads
    assert (thread.id, bot.last(thread.id).files[0]) == (card.id, "toast.gguf")


async def test_where_the_card_was_deleted_it_begins_at_what_the_files_belong_to(bot: Story) -> None:
    card = await bot.starts_a_job()
    del bot.discord.world.messages[card.id]
    thread = await bot.gets_a_thread()
    assert thread.id == bot.last().id


async def test_a_restarted_bot_finds_the_thread_of_a_job(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
        thread = await story.gets_a_thread()
        await archive(story, thread)
    async with running_bot(story, tmp_path):
        await ended(story)
    assert story.threads == [thread]
    assert "toast.gguf" in story.last(thread.id).files


@pytest.mark.parametrize("where", ["in private", "in a thread"])
async def test_no_thread_begins_where_there_can_be_none(bot: Story, where: str) -> None:
    channel = bot.mia.direct
    if where == "in a thread":
        channel = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=MIA).id
    before = len(bot.threads)
    await bot.starts_a_job(channel=channel)
    await ended(bot)
    assert "toast.gguf" in bot.last(channel).files
    assert len(bot.threads) == before
    assert not [call for call in bot.discord.called if call.endswith("/threads")]


async def test_a_thread_that_fell_asleep_wakes_up_with_the_next_change_of_the_card(bot: Story) -> None:
    card = await bot.starts_a_job()
    thread = await bot.gets_a_thread()
    await archive(bot, thread)
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in card.text and not thread.archived, step_s=0.5)
    assert bot.threads == [thread]


async def test_where_threads_are_not_allowed_that_is_said_once_and_all_goes_on_in_the_channel(bot: Story) -> None:
    bot.discord.world.channels[bot.team].threads_allowed = False
    await bot.starts_a_job()
    await bot.starts_a_job(name="second")
    bot.agent.succeed("ftjob-2")
    await ended(bot)
    assert [message.files for message in bot.shown()].count([]) == 5  # two cards, two results, one sentence
    assert sum("toast.gguf" in message.files for message in bot.shown()) == 2
    assert bot.flat().count(NO_THREADS) == 1
    assert bot.threads == []


async def test_where_the_bot_may_not_write_in_a_thread_the_files_lie_beside_it(bot: Story) -> None:
    await bot.starts_a_job()
    (await bot.gets_a_thread()).sends = False
    await ended(bot)
    assert "toast.gguf" in bot.last().files


async def test_where_a_thread_cannot_begin_now_the_files_lie_beside_it(bot: Story) -> None:
    await bot.starts_a_job()
    bot.discord.fail("POST", "/threads", status=400, code=50035)
    await ended(bot)
    assert "toast.gguf" in bot.last().files
