"""A job that was started from a chat, and its card."""

from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent


async def started(agent: FakeAgent, bot: Bot) -> str:
    """Start a job and wait until its card is followed; return its id."""
    await bot.say("/finetune sample")
    await bot.press("Start")
    await bot.until(lambda: bool(agent.feeds))
    bot.chat.edits.clear()
    return list(agent.jobs)[-1]


def card(bot: Bot) -> str:
    return bot.chat.messages["m1"].text
