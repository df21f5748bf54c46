from pathlib import Path

import aiohttp
import pytest

from bot.agent_api import wire
from bot.errors import ChatBusyError, MessageGoneError
from bot.words.format import clock_time
from shared.errors import ErrorCode
from shared.events import QueueData
from tests.bot.harness import Bot, RecordingChat, open_bot
from tests.bot.kept.test_database import fill
from tests.bot.one_job import card, started
from tests.fakes.agent_server import FakeAgent, refusal


async def test_a_thousand_events_in_ten_seconds_make_three_edits_and_the_last_is_newest(
    agent: FakeAgent, bot: Bot
) -> None:
    job_id = await started(agent, bot)
    for step in range(1, 1001):
        agent.step(job_id, step, total_steps=1000)
        if step % 100 == 0:
            await bot.until(lambda: bot.core.follow.cursor == len(agent.events))
            bot.clock.advance(1)
    assert len(bot.chat.edits) <= 3
    await bot.until(lambda: "training 100 %" in card(bot), step_s=1)
    assert len(bot.chat.messages) == 1


async def test_the_same_text_is_not_sent_twice(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    for _ in range(3):
        agent.asked.clear()
        agent.emit(job_id, QueueData(position=1, wait_s=None))
        await bot.until(lambda: f"/v1/fine_tuning/jobs/{job_id}/events" in agent.asked, step_s=1)
    agent.asked.clear()
    agent.emit(job_id, QueueData(position=1, wait_s=None))  # by its turn, the edits of the first three would be done
    await bot.until(lambda: f"/v1/fine_tuning/jobs/{job_id}" in agent.asked, step_s=1)
    assert bot.chat.edits == []


async def test_parallel_jobs_share_the_edit_rate_of_their_chat(agent: FakeAgent, bot: Bot) -> None:
    ids = [await started(agent, bot) for _ in range(5)]
    began = bot.clock.now()
    for job_id in ids:
        agent.step(job_id, 3)
    live = [f"m{number}" for number in range(1, 6)]
    await bot.until(lambda: all("training 6 %" in bot.chat.messages[name].text for name in live), step_s=0.2)
    assert len(bot.chat.edits) <= 1 + (bot.clock.now() - began) * 0.25


async def test_lost_contact_is_said_on_the_card_and_heals_by_itself(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 10)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    await agent.stop()
    began = bot.clock.now()
    await bot.until(lambda: "No contact since" in card(bot), step_s=1)
    assert bot.clock.now() - began < 60
    assert "training 22 %" in card(bot)
    agent.step(job_id, 11)
    await agent.restart()
    await bot.until(lambda: "training 24 %" in card(bot), step_s=1)
    assert "No contact" not in card(bot)
    assert len(bot.chat.messages) == 1


async def test_a_pc_that_falls_asleep_without_a_word_is_said_within_a_minute(
    agent: FakeAgent, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=0.2))
    job_id = await started(agent, bot)
    agent.step(job_id, 10)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    agent.delay_s = 3600  # connections stay open, and nothing comes
    agent.emit(job_id, QueueData(position=1, wait_s=None))
    heard, began = bot.clock.now(), bot.clock.now()
    await bot.until(lambda: "No contact since" in card(bot), step_s=0.05)
    assert bot.clock.now() - began < 60 - wire.SILENCE_S
    assert clock_time(heard) in card(bot)


async def test_a_bot_that_was_down_for_hours_edits_once_and_tells_the_result_once(
    agent: FakeAgent, tmp_path: Path
) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        job_id = await started(agent, bot)
    chat.edits.clear()
    for step in range(1, 46):
        agent.step(job_id, step)
    agent.succeed(job_id)
    async with open_bot(agent, tmp_path, chat) as bot:
        bot.clock.advance(6 * 3600)
        await bot.until(lambda: len(chat.messages) == 2, step_s=1)
        await bot.core.follow.all_told()
    assert len(chat.edits) == 1
    assert [reply.title for reply in chat.messages.values()] == ["toast · done", "✓ toast is ready · 3 min"]


async def test_a_bot_that_was_down_while_the_job_ran_on_edits_its_card_once(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        job_id = await started(agent, bot)
    chat.edits.clear()
    for step in range(1, 401):
        agent.step(job_id, step, total_steps=500)
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: bot.core.follow.cursor == 400, step_s=0)
        await bot.until(lambda: "training 80 %" in card(bot), step_s=0)
        bot.clock.advance(10)
        await bot.until(lambda: bot.core.subscriptions.cursor == 400)
    assert len(chat.edits) <= 1
    assert len(chat.messages) == 1


async def test_a_hanging_trainer_sends_no_event_and_is_said_all_the_same(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 10)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    agent.change(job_id, proof_age_s=300)
    await bot.until(lambda: card(bot).startswith("toast · no sign of life\nLast proof 5 min ago"), step_s=1)
    agent.change(job_id, proof_age_s=1)
    await bot.until(lambda: card(bot).startswith("toast · training"), step_s=1)


async def test_the_cursor_is_not_written_down_before_the_card_that_it_stands_for(agent: FakeAgent, bot: Bot) -> None:
    first, second = await started(agent, bot), await started(agent, bot)
    await bot.until(lambda: bot.core.subscriptions.cursor is not None, step_s=1)
    agent.refuse[f"/v1/fine_tuning/jobs/{first}"] = refusal(ErrorCode.internal, "not now")
    agent.step(first, 1)
    agent.step(second, 2)
    await bot.until(lambda: "training 4 %" in bot.chat.messages["m2"].text, step_s=1)
    assert bot.core.subscriptions.cursor == 0
    agent.refuse.clear()
    await bot.until(lambda: bot.core.subscriptions.cursor == 2, step_s=1)
    assert "training 2 %" in card(bot)


async def test_a_full_disk_stops_no_card(agent: FakeAgent, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    job_id = await started(agent, bot)
    fill(bot.core.requests._db)
    agent.step(job_id, 10)
    agent.change(job_id, stage_detail="x" * 9000)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert "disk is full" in caplog.text


async def test_the_feed_goes_on_from_where_it_broke(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    for step in range(1, 8):
        agent.step(job_id, step)
    await bot.until(lambda: bot.core.follow.cursor == 7)
    await agent.stop()
    agent.step(job_id, 8)
    await agent.restart()
    await bot.until(lambda: bot.core.follow.cursor == 8, step_s=1)
    assert agent.feeds[-1] == 7


async def test_a_restarted_bot_goes_on_with_its_card_and_cursor(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        job_id = await started(agent, bot)
        agent.step(job_id, 5)
        await bot.until(lambda: "training 11 %" in card(bot), step_s=1)
        saved = bot.core.subscriptions.cursor
    agent.step(job_id, 45)
    agent.succeed(job_id)
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: len(chat.messages) == 2, step_s=1)
        assert card(bot).startswith("toast · done")
    assert agent.feeds[-1] == saved
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.core.follow.all_told()
    assert len(chat.messages) == 2


async def test_a_card_that_begins_while_the_bot_stops_is_kept_by_the_next(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: bool(agent.feeds))
        bot.stop()
        await bot.say("/finetune sample")
        await bot.press("Start")
        assert bot.core.subscriptions.undelivered()
    agent.succeed(list(agent.jobs)[-1])
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: card(bot).startswith("toast · done"), step_s=1)


async def test_a_chat_that_asks_to_wait_still_gets_the_end(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    bot.chat.failures = [ChatBusyError(30.0), ChatBusyError(5.0)]
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert card(bot).startswith("toast · done")


async def test_a_deleted_card_is_posted_anew(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    bot.chat.failures = [MessageGoneError("m1")]
    agent.step(job_id, 5)
    await bot.until(lambda: "m2" in bot.chat.messages, step_s=1)
    agent.step(job_id, 6)
    await bot.until(lambda: "training 13 %" in bot.chat.messages["m2"].text, step_s=1)
    assert len(bot.chat.messages) == 2


async def test_a_job_the_agent_no_longer_knows_is_let_go(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    del agent.jobs[job_id]
    agent.events.clear()
    bot.core.follow._mark(None)
    await bot.until(lambda: card(bot).startswith("Gone"), step_s=1)
    await bot.core.follow.all_told()


async def test_an_agent_begun_anew_is_followed_from_its_own_cursor(agent: FakeAgent, tmp_path: Path) -> None:
    async with open_bot(agent, tmp_path) as bot:
        bot.core.subscriptions.cursor = 500
    async with open_bot(agent, tmp_path) as bot:
        await bot.until(lambda: bool(agent.feeds))
        assert agent.feeds[-1] == 0


async def test_a_refusing_agent_is_asked_again(agent: FakeAgent, tmp_path: Path) -> None:
    agent.refuse["/v1/agent"] = refusal(ErrorCode.internal, "not now")
    async with open_bot(agent, tmp_path) as bot:
        agent.add_job()
        agent.refuse.clear()
        await bot.until(lambda: bool(agent.feeds), step_s=1)
