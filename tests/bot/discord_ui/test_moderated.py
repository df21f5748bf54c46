"""After a moderator's hand: what is shown finds its next best place, or a lesser form, or is given up with a word."""

from pathlib import Path

import pytest

from shared.events import EvaluationData
from tests.bot.discord_ui.harness import Story, running_bot
from tests.fakes.discord_server.world import ALL_PERMISSIONS, ATTACH_FILES, THREAD, Channel


async def remove(bot: Story, channel: Channel) -> None:
    """Delete a channel or thread, as a moderator does; the gateway tells the bot."""
    body = bot.discord.world.channel_json(channel)
    bot.discord.world.remove(channel)
    await bot.discord.gateway.dispatch("THREAD_DELETE" if channel.type == THREAD else "CHANNEL_DELETE", body)
    await bot.settled()


def no_files(bot: Story, channel: int) -> None:
    bot.discord.world.channels[channel].permissions = ALL_PERMISSIONS & ~ATTACH_FILES


async def told(bot: Story) -> None:
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)


@pytest.mark.parametrize("hand", ["locked", "archived and locked", "deleted"])
async def test_files_whose_thread_is_closed_lie_beside_the_card(bot: Story, hand: str) -> None:
    await bot.starts_a_job()
    thread = await bot.gets_a_thread()
    if hand == "deleted":
        await remove(bot, thread)
    else:
        thread.locked, thread.archived = True, hand != "locked"
        await bot.discord.gateway.dispatch("THREAD_UPDATE", bot.discord.world.channel_json(thread))
        await bot.settled()
    bot.agent.succeed("ftjob-1")
    await told(bot)
    assert "toast.gguf" in bot.last().files
    await bot.mia.slash("status", channel=bot.team, job="#1")
    await bot.until(lambda: sum("toast.gguf" in message.files for message in bot.shown()) == 2, step_s=0.5)
    assert "did not get through" not in bot.flat()


async def test_a_card_in_a_deleted_channel_goes_on_in_direct_messages(bot: Story) -> None:
    await bot.starts_a_job()
    await remove(bot, bot.discord.world.channels[bot.team])
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in bot.flat(bot.mia.direct), step_s=0.5)
    assert "I cannot write any more where you asked for this" in bot.flat(bot.mia.direct)
    bot.agent.succeed("ftjob-1")
    await told(bot)
    assert bot.flat(bot.mia.direct).count(" is ready ·") == 1
    assert "toast.gguf" in bot.last(bot.mia.direct).files


async def test_a_card_in_a_locked_thread_goes_on_in_its_channel(bot: Story) -> None:
    cats = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=1)
    await bot.starts_a_job(channel=cats.id)
    cats.locked = True
    bot.agent.succeed("ftjob-1")
    await told(bot)
    assert " is ready ·" in bot.flat()


async def test_a_card_that_moved_is_followed_there_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
        await remove(story, story.discord.world.channels[story.team])
        story.agent.step("ftjob-1", 7)
        await story.until(lambda: "training 15 %" in story.flat(story.mia.direct), step_s=0.5)
    async with running_bot(story, tmp_path):
        story.agent.step("ftjob-1", 8)
        await story.until(lambda: "training 17 %" in story.flat(story.mia.direct), step_s=0.5)


async def test_a_card_that_nobody_can_be_shown_is_given_up_in_the_log(
    bot: Story, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.starts_a_job()
    bot.discord.world.channels[bot.mia.direct].sends = False
    await remove(bot, bot.discord.world.channels[bot.team])
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=600)
    assert "I give up the card of job ftjob-1" in caplog.text


async def test_without_attach_files_the_card_goes_on_without_its_plot_and_gets_it_back(bot: Story) -> None:
    card = await bot.starts_a_job()
    no_files(bot, bot.team)
    bot.agent.step("ftjob-1", 10, validation_loss=2.0)
    await bot.until(lambda: "training 22 %" in card.text, step_s=0.5)
    assert not card.attachments
    bot.agent.step("ftjob-1", 11)
    await bot.until(lambda: "training 24 %" in card.text, step_s=0.5)
    bot.discord.world.channels[bot.team].permissions = ALL_PERMISSIONS
    await bot.mia.slash("jobs", channel=bot.team)
    bot.agent.step("ftjob-1", 12)
    await bot.until(lambda: "training 26 %" in card.text, step_s=0.5)
    bot.agent.emit("ftjob-1", EvaluationData(step=20, split="validation", loss=1.4, best_loss=1.4, best_step=20))
    await bot.until(lambda: card.attachments, step_s=0.5)


async def test_without_attach_files_the_files_go_to_the_person(bot: Story) -> None:
    await bot.starts_a_job()
    thread = await bot.gets_a_thread()
    no_files(bot, bot.team)
    thread.permissions = ALL_PERMISSIONS & ~ATTACH_FILES
    bot.agent.succeed("ftjob-1")
    await told(bot)
    assert "I may not attach files here, so I sent them to you directly." in bot.flat()
    assert "toast.gguf" in bot.last(bot.mia.direct).files


async def test_where_files_go_nowhere_the_missing_permission_is_named(bot: Story) -> None:
    await bot.starts_a_job()
    for room in (bot.team, (await bot.gets_a_thread()).id):
        no_files(bot, room)
    bot.discord.world.channels[bot.mia.direct].sends = False
    bot.agent.succeed("ftjob-1")
    await told(bot)
    assert "give me the permission Attach Files" in bot.last().text.replace("\n", " ")


async def test_an_answer_whose_thinking_was_deleted_is_an_ordinary_message(bot: Story) -> None:
    gate = bot.agent.gate("GET", "/v1/fine_tuning/jobs")
    happened = await bot.mia.slash("jobs", channel=bot.team)
    await gate.reached.wait()
    del bot.discord.world.messages[happened.original or 0]
    gate.open.set()
    await bot.says("No jobs yet")
