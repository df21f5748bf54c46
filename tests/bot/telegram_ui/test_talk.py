"""A talk with a finished model on Telegram, also where a live card needs the same room."""

import asyncio

import pytest

from shared.jobs import JobStatus
from tests.bot.telegram_ui.harness import TEAM, Story


@pytest.fixture
def done(bot: Story) -> Story:
    """Job #1 has made a model, and says its answers slowly."""
    bot.agent.succeed(bot.agent.add_job(status=JobStatus.running).id)
    bot.agent.says = "one two three four five six seven eight nine ten"

    async def a_second() -> None:
        for _ in range(20):
            bot.clock.advance(0.05)
            await asyncio.sleep(0)

    bot.agent.between_words = a_second
    return bot


async def test_one_message_grows_as_it_is_said_and_the_next_words_go_to_the_model(done: Story) -> None:
    done.mia.say("/chat toast")
    await done.says("Talk with toast")
    await done.until(lambda: done.last().labels == ["New talk", "End"])
    assert done.last().text.endswith("nine ten")
    assert len(done.shown()) == 1
    done.mia.say("and then?")
    await done.until(lambda: len(done.shown()) == 2 and "nine ten" in done.last().text)
    assert done.last().text.startswith("toast\n")
    assert done.agent.questions[-1].messages[-1].content == "and then?"


async def test_in_a_group_it_hears_answers_and_keeps_within_what_telegram_takes_beside_a_live_card(done: Story) -> None:
    done.telegram.world.add_group(TEAM)
    card = await done.starts_a_job(chat=TEAM, name="crumb")
    done.mia.say("/chat toast", chat=TEAM)
    await done.until(lambda: "nine ten" in done.last(TEAM).text)
    for n in range(6):
        done.agent.step(next(reversed(done.agent.jobs)), 3 * n + 1)
        last = done.last(TEAM).id
        done.mia.say(f"question {n}", chat=TEAM, reply_to=last)
        await done.until(lambda before=last: done.last(TEAM).id > before and "nine ten" in done.last(TEAM).text)  # type: ignore[misc]
    assert done.telegram.flood.refused == 0
    assert card.edits
    assert [it.messages[-1].content for it in done.agent.questions[1:]] == [f"question {n}" for n in range(6)]
