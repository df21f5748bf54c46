"""A job whose trainer dies or is paused has several lives: how soon that is noticed, and what holds over all."""

import itertools
import json
from dataclasses import replace

from agent.running.trainer_health import Budget, Limits
from shared.jobs import Stage
from tests.agent.running_agent import QUICK, Agent

IMPATIENT = replace(
    QUICK,
    pause_kill_after_s=0.3,
    limits=Limits(
        budgets={**Limits().budgets, **dict.fromkeys(Stage, Budget(slow_s=0.3, stalled_s=2))},
        first_step=Budget(slow_s=0.3, stalled_s=2),
        silent_s=0.5,
        frozen_s=4,
    ),
)
# As impatient with a trainer that gives no sign of life, and as patient as ever with one whose work stands still.
SILENCE = replace(IMPATIENT, limits=replace(IMPATIENT.limits, budgets=Limits().budgets, first_step=Limits().first_step))


async def check_trained_once(agent: Agent, job_id: str, *, lives: int) -> None:
    """The job succeeded, its steps rise but for what was done again, and each event is there once."""
    await agent.until_status(job_id, "succeeded", "failed")
    job = await agent.job(job_id)
    assert job["status"] == "succeeded", job["error"]
    assert len(agent.lives(job_id)) == lives
    written = [json.loads(line) for line in agent.folder(job_id).events.read_text().splitlines()]
    said = await agent.messages(job_id)
    lines = [line["message"] for line in written]
    assert [message for message in said if message in lines] == lines
    assert [message for message in said if message == "Done."] == ["Done."]
    steps = [w["data"]["step"] for w in written if w["data"]["kind"] == "progress"]
    again = [later for earlier, later in itertools.pairwise(steps) if later <= earlier]
    assert set(again) <= {2}, steps  # the stand-in makes its checkpoint at step 1
    assert steps[-1] == 3
