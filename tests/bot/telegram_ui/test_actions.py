"""What stands below a chat's name while an answer or a file is on its way."""

import asyncio
from itertools import pairwise

import pytest

from shared.jobs import JobStatus
from tests.bot.telegram_ui.harness import MIA, TEAM, Story

SHOWN_S = 4.5


def of(bot: Story, chat: int = MIA) -> list[str]:
    return [action for where, _topic, action, _at in bot.telegram.methods.actions if where == chat]


async def test_what_is_answered_soon_is_not_announced(bot: Story) -> None:
    bot.mia.say("/gpu")
    await bot.says("Free")
    for _ in range(100):
        bot.clock.advance(0.1)
        await asyncio.sleep(0.001)
    assert of(bot) == []


async def test_a_slow_answer_is_typed_after_a_second_and_about_every_five(bot: Story) -> None:
    bot.agent.delay_s = 3600
    asked_at = bot.clock.now()
    bot.mia.say("/jobs")
    await bot.until(lambda: len(of(bot)) == 3)
    at = [it[3] for it in bot.telegram.methods.actions]
    assert set(of(bot)) == {"typing"}
    assert at[0] - asked_at >= 1
    assert all(later - sooner >= SHOWN_S - 0.1 for sooner, later in pairwise(at))


async def test_two_slow_answers_in_one_chat_are_typed_as_one(bot: Story) -> None:
    bot.agent.delay_s = 3600
    bot.mia.say("/jobs")
    bot.mia.say("/gpu")
    began_at = bot.clock.now()
    await bot.until(lambda: len(of(bot)) == 4)
    assert bot.clock.now() - began_at >= 3 * SHOWN_S


async def test_in_a_topic_it_stands_in_the_topic(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM, topics=(45,))
    bot.agent.delay_s = 3600
    bot.mia.say("/jobs", chat=TEAM, topic=45)
    await bot.until(lambda: bot.telegram.methods.actions)
    assert bot.telegram.methods.actions[0][:3] == (TEAM, 45, "typing")


async def test_a_model_that_thinks_is_seen_typing(bot: Story) -> None:
    bot.agent.succeed(bot.agent.add_job(status=JobStatus.running).id)
    thinking = asyncio.Event()

    async def thinks() -> None:
        await thinking.wait()

    bot.agent.between_words = thinks
    bot.mia.say("/chat toast")
    await bot.until(lambda: of(bot) == ["typing"])
    thinking.set()
    await bot.until(lambda: bot.last().labels == ["New talk", "End"])


async def test_files_and_pictures_are_announced_as_what_they_are(bot: Story) -> None:
    await bot.starts_a_job()
    bot.mia.say("/log #1 file")
    await bot.until(lambda: len(bot.shown()) == 3)
    await bot.until(lambda: of(bot) == ["upload_document"], step_s=0)
    await bot.settled()  # until then it shows that anew when a clock moves on
    bot.clock.advance(60)
    bot.agent.step("ftjob-1", 5)
    bot.mia.say("/plot #1")
    await bot.until(lambda: bot.last().photo)
    await bot.until(lambda: of(bot)[1:] == ["upload_photo"], step_s=0)


@pytest.mark.parametrize("how", [{"status": 500}, {"status": None}, {"status": 429, "retry_after": 600}])
async def test_one_that_fails_breaks_and_delays_nothing(bot: Story, how: dict[str, int | None]) -> None:
    await bot.starts_a_job()
    bot.telegram.fail("sendChatAction", times=9, **how)
    bot.mia.say("/log #1 file")
    asked_at = bot.clock.now()
    await bot.until(lambda: bot.last().document)
    assert bot.clock.now() - asked_at < 5


async def test_where_the_bot_may_not_write_it_is_not_seen_typing(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.telegram.methods.muted.add(TEAM)
    bot.agent.delay_s = 3600
    bot.mia.say("/jobs", chat=TEAM)
    await bot.until(lambda: "sendChatAction" in bot.telegram.called)
    await bot.settled()
    assert of(bot, TEAM) == []
