"""A talk with a finished model on Discord: written directly, or on a server by naming the bot."""

import asyncio

import pytest

from shared.jobs import JobStatus
from tests.bot.discord_ui.harness import Story


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


async def test_a_talk_written_directly(done: Story) -> None:
    where = done.mia.direct
    await done.mia.slash("chat", job="#1")
    await done.until(lambda: "nine ten" in done.flat(where))
    assert len(done.shown(where)) == 1
    await done.mia.write("and then?", channel=where)
    await done.until(lambda: len(done.shown(where)) == 2 and "nine ten" in done.last(where).text)
    assert done.agent.questions[-1].messages[-1].content == "and then?"
    await done.mia.press("End")
    await done.until(lambda: "The talk is over" in done.flat(where))


async def test_on_a_server_beside_a_live_card_it_keeps_within_what_discord_takes(done: Story) -> None:
    card = await done.starts_a_job(name="crumb")
    await done.mia.slash("chat", job="#1", channel=done.team)
    await done.until(lambda: "nine ten" in done.last().text)
    for n in range(4):
        done.agent.step(next(reversed(done.agent.jobs)), 3 * n + 1)
        messages = len(done.shown())
        await done.mia.write(f"question {n}", channel=done.team, naming_the_bot=True)
        await done.until(lambda before=messages: len(done.shown()) > before and "nine ten" in done.last().text)  # type: ignore[misc]
    assert done.discord.flood.refused == []
    assert card.edits
    assert [it.messages[-1].content for it in done.agent.questions[1:]] == [f"question {n}" for n in range(4)]
