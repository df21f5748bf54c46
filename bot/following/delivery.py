"""A job's result, told in its chat once.

A delivery is noted before and after. A bot killed in between cannot know whether the result was seen, so the next one
posts it again: a double is better than a loss. After three such kills the card says how to ask for the result instead.
"""

from dataclasses import replace

from bot.agent_api.client import AgentClient
from bot.cards.result import result_card
from bot.cards.snapshot import Snapshot
from bot.core.pages import pages
from bot.following.edit_schedule import CardSchedule
from bot.following.results import collect_results
from bot.following.subscriptions import Subscription, Subscriptions
from bot.kept.database import noted
from shared.jobs import Job

DELIVERIES = 2  # begun and cut off by a kill, before the result is only pointed to


async def deliver(
    slot: CardSchedule, snapshot: Snapshot, *, agent: AgentClient, subscriptions: Subscriptions, model: bool
) -> bool:
    """Post the result, once as far as can be known; what the chat has of it already is not repeated.

    `model`: with the files of a finished one. Return False where earlier deliveries were cut off so often that the card
    has to point to it. Raises ChatError.
    """
    outcome = await collect_results(agent, snapshot.job, slot.chat.capabilities, everything=False, model=model)
    begun = 0
    with noted():
        begun = subscriptions.begin_delivery(slot.subscription)
    if begun >= DELIVERIES:
        return False
    try:
        card = result_card(snapshot, outcome, with_answers=slot.subscription.private)
        result = replace(card, mention=owner(snapshot.job, slot.subscription))
        with noted():
            slot.pages_told = max(slot.pages_told, subscriptions.pages_told(slot.subscription))
        for page in pages(result, slot.chat.capabilities)[slot.pages_told :]:
            await slot.chat.post(page)
            slot.pages_told += 1
            with noted():
                subscriptions.page_told(slot.subscription)
    except Exception:
        with noted():
            subscriptions.delivery_failed(slot.subscription)
        raise
    return True


def owner(job: Job, card: Subscription) -> str | None:
    """Return whom to mention: who asked for the job, if that is a person of the card's platform."""
    asked = job.requested_by
    return asked.person if asked is not None and asked.platform == card.platform else None
