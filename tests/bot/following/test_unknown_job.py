"""A card whose job the agent does not know any more: its data folder is another one, or was emptied."""

from tests.bot.harness import Bot
from tests.bot.one_job import card, started
from tests.fakes.agent_server import FakeAgent


async def test_a_card_of_a_job_that_is_gone_says_so_and_is_followed_no_more(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 10)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    agent.step(job_id, 20)
    del agent.jobs[job_id]
    await bot.until(lambda: card(bot).startswith("Gone"), step_s=1)
    assert "Last seen: " in " ".join(card(bot).split())
    assert not bot.core.subscriptions.undelivered()
    assert len(bot.chat.messages) == 1
