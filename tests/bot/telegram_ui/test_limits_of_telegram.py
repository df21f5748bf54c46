"""Flood control, errors and dead connections: cards stay few and true, and the end is always told."""

import asyncio
from pathlib import Path

import pytest

from bot.launch.event_loop import serve
from bot.telegram_ui.texts import NOT_LET_IN
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server import Person


async def test_a_thousand_events_in_ten_seconds_make_three_edits_and_the_last_is_newest(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.until(lambda: bot.agent.feeds)
    bot.clock.advance(10)
    await bot.settled()
    before = len(card.edits)
    for step in range(1, 1001):
        bot.agent.step("ftjob-1", step, total_steps=1000)
        if step % 100 == 0:
            await bot.until(lambda: bot.core.follow.cursor == len(bot.agent.events), step_s=0)
            bot.clock.advance(1)
    assert len(card.edits) - before <= 3
    await bot.until(lambda: "training 100 %" in card.text, step_s=0.5)
    assert len(bot.shown()) == 1


async def test_five_jobs_in_one_group_meet_no_flood_control_and_all_end_well(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    cards = [await bot.starts_a_job(chat=TEAM, name=f"job-{number}") for number in range(1, 6)]
    for step in range(1, 40):
        for number in range(1, 6):
            bot.agent.step(f"ftjob-{number}", step)
        for _ in range(8):
            bot.clock.advance(0.5)
            await bot.until(lambda: True)
            await _breath()
    for number in range(1, 6):
        bot.agent.succeed(f"ftjob-{number}")
    await bot.until(lambda: len(bot.shown(TEAM)) == 20, step_s=0.5)
    assert bot.telegram.flood.refused == 0
    assert all(" · done" in card.text for card in cards)
    assert sorted(it.text.split(" · ")[0] for it in bot.shown(TEAM) if "ready" in it.text) == [
        f"✓ job-{number} is ready" for number in range(1, 6)
    ]


async def test_after_flood_control_the_end_comes_within_fifteen_seconds_of_the_time_it_named(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.until(lambda: bot.agent.feeds)
    bot.agent.step("ftjob-1", 5)
    bot.telegram.fail("editMessageMedia", status=429, retry_after=600)
    await bot.until(lambda: not bot.telegram.faults, step_s=0.5)
    said_at = bot.clock.now()
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: card.text.startswith("toast · done"), step_s=1)
    assert 599 <= bot.clock.now() - said_at <= 616
    assert bot.telegram.flood.refused == 0


@pytest.mark.parametrize(
    "how", [{"status": 500}, {"status": 502}, {"status": None}, {"status": 429, "retry_after": 30}]
)
async def test_the_end_is_told_once_after_errors_of_every_kind(bot: Story, how: dict[str, int | None]) -> None:
    card = await bot.starts_a_job()
    await bot.until(lambda: bot.agent.feeds)
    for method in ["editMessageText", "sendPhoto", "sendMessage", "sendDocument"]:
        bot.telegram.fail(method, times=2, **how)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: len(bot.shown()) == 4, step_s=5)
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=5)
    assert card.text.startswith("toast · done")
    assert bot.flat().count(" is ready ·") == 1
    assert len(bot.shown()) == 4


async def test_a_dead_connection_heals_by_itself_and_nothing_is_lost(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.telegram.stop()
    bot.agent.succeed("ftjob-1")
    for _ in range(100):
        bot.clock.advance(30)
        await _breath()
    await bot.telegram.restart()
    bot.mia.say("/jobs")
    await bot.until(lambda: "#1 toast · done" in bot.flat(), step_s=1)
    await bot.until(lambda: card.text.startswith("toast · done"), step_s=5)
    await bot.until(lambda: len(bot.shown()) == 5, step_s=5)


async def test_a_deleted_card_is_posted_anew_with_its_picture(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 5)
    await bot.until(lambda: "training 11 %" in card.text, step_s=0.5)
    del bot.telegram.world.messages[MIA, card.id]
    bot.agent.step("ftjob-1", 6)
    await bot.until(lambda: bot.shown() and "training 13 %" in bot.last().text, step_s=0.5)
    assert bot.last().photo


async def test_a_chat_that_blocked_the_bot_is_asked_less_and_less(bot: Story) -> None:
    await bot.starts_a_job()
    bot.telegram.methods.blocked.add(MIA)
    bot.agent.succeed("ftjob-1")
    bot.telegram.called.clear()
    for _ in range(600):
        bot.clock.advance(10)
        await _breath()
    assert len([name for name in bot.telegram.called if name.startswith("edit")]) < 20
    bot.telegram.methods.blocked.clear()
    await bot.until(lambda: " is ready ·" in bot.flat(), step_s=10)


async def test_a_token_that_is_revoked_ends_this_front_end_in_one_line_without_the_token(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with running_bot(story, tmp_path, connect=False):
        serving = asyncio.create_task(
            serve([story.front_end], story.core, talking=None, talk_decides=False, background={})
        )
        story.mia.say("/jobs")
        await story.says("No jobs yet")
        story.telegram.token_valid = False
        story.mia.say("/jobs")
        await story.until(serving.done, step_s=1)
        assert serving.result() == 2
    assert capsys.readouterr().err == f"{NOT_LET_IN}\n"
    assert "connect it again" not in caplog.text


async def test_after_a_burst_of_commands_each_is_answered_when_the_group_allows(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    for number in range(40):
        Person(bot.telegram, 10 + number % 4, "One of four").say("/jobs", chat=TEAM)
    await bot.until(lambda: len(bot.shown(TEAM)) == 40, step_s=0.5)
    assert bot.telegram.flood.refused == 0


async def _breath() -> None:
    """Let what is due be done."""
    await asyncio.sleep(0.002)


async def test_at_one_message_a_second_the_whole_story_is_told(bot: Story) -> None:
    bot.telegram.flood.private_per_s = 1
    card = await bot.starts_a_job()
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: len(bot.shown()) == 4, step_s=0.5)
    assert card.text.startswith("toast · done")
    assert bot.flat().count(" is ready ·") == 1


async def test_a_page_that_has_arrived_is_not_sent_again_after_a_refusal_of_the_next(bot: Story) -> None:
    await bot.starts_a_job()
    bot.telegram.fail("sendDocument", status=500, times=3)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: len(bot.shown()) == 4, step_s=5)
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=5)
    assert len(bot.shown()) == 4
