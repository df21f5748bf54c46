"""Thousands of stories of the job table, told by Hypothesis: tests/agent/store/test_state_machine.py."""

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.agent.store.test_state_machine import JobTable, how_many
from tests.soak.campaign import Campaign

STORIES = 5000
AT_ONCE = 100


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    told = 0
    while told < STORIES and campaign.has_time():
        seed = campaign.dice.randrange(2**31)
        campaign.tell(f"stories {told} to {told + AT_ONCE}, seed {seed}")
        run_state_machine_as_test(hypothesis.seed(seed)(JobTable), settings=how_many(AT_ONCE))
        told += AT_ONCE
        campaign.note(f"{told} stories")
    return f"{told} stories"
