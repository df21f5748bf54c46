"""Requests by the thousand, made from the agent's /openapi.json: each is answered, and the agent starts again."""

import asyncio
from collections import Counter

from tests.agent.api.schema_story import ask_everything, goes_on
from tests.soak.campaign import Campaign, make_settings

MINUTES = 5.0
EXAMPLES = 60  # that hypothesis makes of each operation, twice in a round


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    statuses: Counter[int] = Counter()
    rounds = 0
    while campaign.has_time(MINUTES):
        rounds += 1
        settings = make_settings(campaign.work / f"round-{rounds}")
        dice = campaign.dice.randrange(2**32)
        campaign.tell(f"round {rounds}, with the dice {dice}")

        def told(operation: str) -> None:
            campaign.tell(operation)
            campaign.note(f"{statuses.total()} answers and a round that is at {operation}")

        answers = await ask_everything(settings, dice=dice, examples=EXAMPLES, short=False, told=told)
        campaign.promise(not answers.wrong, "\n".join(f"{name}: {wrong}" for name, wrong in answers.wrong.items()))
        for seen in answers.statuses.values():
            statuses.update(seen)
        campaign.tell("the next start")
        await goes_on(settings)
    return f"{rounds} rounds, {statuses.total()} answers: {dict(sorted(statuses.items()))}"
