"""Rights are asked when something is shown or sent, not only when it is ordered."""

import asyncio

import pytest

from bot.dispatch.resend import Resender
from shared.people import GrantKind, RequestedBy, Role
from tests.bot.harness import Bot
from tests.bot.one_job import card, started
from tests.fakes.agent_server import FakeAgent

CREW = "crew"


def members(agent: FakeAgent) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.person, "mia", "Mia")


async def test_a_live_card_of_a_denied_person_says_no_more_of_the_job(agent: FakeAgent, bot: Bot) -> None:
    members(agent)
    job_id = await started(agent, bot)
    agent.step(job_id, 10)
    await bot.until(lambda: "training 22 %" in card(bot), step_s=1)
    agent.people.grant("test", GrantKind.person, "mia", "Mia", Role.denied)
    agent.step(job_id, 20)
    await bot.until(lambda: "Not shown any more" in card(bot), step_s=1)
    assert "You were denied" in " ".join(card(bot).split())
    assert "training" not in card(bot)
    assert "loss" not in card(bot)
    assert "toast" not in card(bot)
    assert not bot.core.subscriptions.undelivered()


async def test_the_model_is_not_delivered_to_who_was_denied_meanwhile(agent: FakeAgent, bot: Bot) -> None:
    members(agent)
    job_id = await started(agent, bot)
    agent.people.grant("test", GrantKind.person, "mia", "Mia", Role.denied)
    agent.succeed(job_id)
    await bot.until(lambda: "Not shown any more" in card(bot), step_s=1)
    assert len(bot.chat.messages) == 1, "no result was posted"


async def test_a_card_goes_on_for_who_keeps_their_right(agent: FakeAgent, bot: Bot) -> None:
    members(agent)
    job_id = await started(agent, bot)
    agent.people.grant("test", GrantKind.person, "eve", "Eve", Role.denied)
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) > 1, step_s=1)


@pytest.mark.parametrize(("roles", "done"), [((CREW,), True), ((), False)])
async def test_a_kept_request_is_sent_with_the_roles_of_now(
    agent: FakeAgent, bot: Bot, roles: tuple[str, ...], *, done: bool
) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.role, CREW, "crew", Role.admin)

    async def as_now(who: RequestedBy) -> RequestedBy:
        assert who.roles == (CREW,), "as they were when it was asked"
        return who.model_copy(update={"roles": roles})

    bot.stop()
    await agent.stop()
    await bot.say("/pause", roles=(CREW,))
    await agent.restart()
    agent.asked.clear()
    keeper = Resender(bot.core, open_chat=lambda *_: bot.chat, reopen=bot.chat.reopen, as_now=as_now)
    keeping = asyncio.create_task(keeper.run())
    await bot.until(lambda: not bot.core.requests.unanswered(), step_s=1)
    keeping.cancel()
    assert ("Pausing the machine" in bot.chat.last.text) is done
