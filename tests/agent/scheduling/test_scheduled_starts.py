"""A job that waits for its time starts then, by the clock that people read; a time that nobody means stops nothing."""

import asyncio
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.settings import AgentSettings
from agent.store.tables import JobRow
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import QUICK, Agent, run_agent

pytestmark = pytest.mark.process

HOUR_S = 3600
LOOKING = replace(QUICK, look_s=0.05)


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


def set_start(session: Session, job_id: str, start_at: int) -> None:
    session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(start_at=start_at))


async def refusal(agent: Agent, start_at: int) -> dict[str, str]:
    body = {"model": MODEL, "training_file": await agent.upload(), "start_at": start_at}
    async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
        assert response.status == 400
        return dict((await response.json())["error"])


@pytest.mark.parametrize("set_s", [0, -HOUR_S])
async def test_job_starts_when_its_time_has_come_by_a_clock_that_was_set(settings: AgentSettings, set_s: int) -> None:
    clock = Clock()
    async with run_agent(settings, clock=clock, timings=LOOKING) as agent:
        job_id = await agent.create(start_at=round(time.time()) + HOUR_S)
        await agent.until_status(job_id, "queued")
        clock.ahead_s = set_s
        await asyncio.sleep(6 * LOOKING.look_s)  # it must not start before: there is nothing to wait for
        assert await agent.status(job_id) == "queued"
        clock.ahead_s = HOUR_S + 1
        await agent.until_status(job_id, "succeeded")


@pytest.mark.parametrize("start_at", [2**40, 999_999_999_999, 4_000_000_000])
async def test_a_start_that_is_no_date_or_far_away_is_refused_in_words(settings: AgentSettings, start_at: int) -> None:
    async with run_agent(settings, works=False) as agent:
        error = await refusal(agent, start_at)
    assert error["param"] == "start_at"
    assert "start_at" in error["message"]


async def test_a_stored_start_beyond_all_dates_holds_back_nobody_and_stops_no_agent(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        never = await agent.create(start_at=round(time.time()) + HOUR_S)
        await agent.until_status(never, "queued")
        await agent.store.run(set_start, never, 2**40)
    async with run_agent(settings) as agent:
        following = await agent.create()
        await agent.until_status(following, "succeeded")
        assert await agent.status(never) == "queued"
