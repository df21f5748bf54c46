"""A wall clock that is set back or forth by an hour: nothing waits for it, nobody is silenced."""

from pathlib import Path

import pytest

from bot.dispatch.rate_limit import CALLS, PAUSE_S
from bot.kept.approvals import Approvals, Wish
from bot.kept.database import DATABASE, Database
from bot.telegram_ui.budget import Budget
from tests.bot.harness import Bot, FakeClock, RecordingChat, open_bot
from tests.bot.one_job import card, started
from tests.fakes.agent_server import FakeAgent

HOUR_S = 3600.0


@pytest.mark.parametrize("set_by", [-HOUR_S, HOUR_S])
async def test_who_asked_too_much_is_answered_again_after_the_pause(agent: FakeAgent, bot: Bot, set_by: float) -> None:
    for _ in range(CALLS + 1):
        await bot.say("/jobs")
    assert "at once" in bot.chat.last.text
    bot.clock.set_by(set_by)
    bot.clock.advance(PAUSE_S + 1)
    assert (await bot.say("/jobs")).text == (await bot.say("/jobs")).text
    assert "No jobs yet" in bot.chat.last.text


@pytest.mark.parametrize("set_by", [-HOUR_S, HOUR_S])
async def test_a_card_goes_on_within_seconds(agent: FakeAgent, bot: Bot, set_by: float) -> None:
    job_id = await started(agent, bot)
    for step in (5, 6):
        agent.step(job_id, step, total_steps=100)
        await bot.until(lambda step=step: f"training {step} %" in card(bot), step_s=1)  # type: ignore[misc]
        bot.clock.set_by(set_by)
        began = bot.clock.monotonic()
    agent.step(job_id, 7)
    await bot.until(lambda: "training 15 %" in card(bot), step_s=1)
    assert bot.clock.monotonic() - began < 60


async def test_telegrams_budget_is_spent_by_the_minute_that_passes() -> None:
    clock = FakeClock()
    budget = Budget(count=1, per_s=60.0, clock=clock)
    async with budget.turn():
        pass
    budget.block(5.0)
    clock.set_by(-HOUR_S)
    assert budget.wait_s() <= 60
    clock.advance(61)
    assert budget.wait_s() == 0


def test_the_owner_is_asked_again_after_a_day_however_the_clock_was_set(tmp_path: Path) -> None:
    wish = Wish(model="a/b", platform="p", chat_id="c", person="x", line="/finetune")
    with Database(tmp_path / DATABASE) as database:
        approvals = Approvals(database)
        assert approvals.ask(wish, now=30 * 86_400.0) == (1, True)
        assert approvals.ask(wish, now=86_400.0) == (2, False)
        assert approvals.ask(wish, now=2 * 86_400.0 + 1) == (3, True)


async def test_what_waited_is_no_younger_for_a_clock_that_was_set_back(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    await agent.stop()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.say("/finetune sample")
        began = bot.clock.monotonic()
        await bot.until(lambda: bot.clock.monotonic() - began > 60, step_s=1)
        bot.clock.set_by(-30 * 86_400)
        bot.clock.advance(8 * 86_400)
        await agent.restart()
        await bot.until(lambda: not bot.core.requests.unanswered(), step_s=1)
    assert "waited 7 days" in chat.messages["m1"].text
