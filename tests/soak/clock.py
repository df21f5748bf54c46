"""The agent's clock jumps by a day, forward and back, while jobs wait for their time."""

import asyncio
import contextlib
import time

from shared.jobs import FINISHED
from tests.agent.running_agent import Agent, run_agent
from tests.soak.books import all_jobs, check_books, summary_of
from tests.soak.campaign import Campaign, make_settings
from tests.soak.locks import watch_for_two

MINUTES = 2.0
HOUR_S = 3600
DAY_S = 24 * HOUR_S
JUMPS_S = (-DAY_S, -DAY_S, -HOUR_S, HOUR_S, DAY_S, DAY_S)
AT_ONCE = 6  # jobs that have not ended


class WallClock:
    """A clock that goes on and can be set."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return 1_800_000_000 + self.ahead_s + time.monotonic() - self._start


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    settings = make_settings(campaign.work / "data")
    clock = WallClock()
    jumps = 0
    asked: dict[str, int | None] = {}  # each job's start_at
    async with run_agent(settings, clock=clock) as agent:
        watching = asyncio.create_task(watch_for_two(campaign, settings.jobs_dir))
        while campaign.has_time(MINUTES) and not watching.done():
            if campaign.dice.random() < 0.5 and await _unfinished(agent) < AT_ONCE:
                start_in_s = campaign.dice.choice([None, -DAY_S, 2, HOUR_S, DAY_S])
                start_at = None if start_in_s is None else int(clock()) + start_in_s
                job_id = await agent.create(**{} if start_at is None else {"start_at": start_at})
                asked[job_id] = start_at
                campaign.tell(f"made {job_id} at {clock():.0f}, for {start_at}")
            else:
                _set(campaign, agent, clock, clock.ahead_s + campaign.dice.choice(JUMPS_S))
                jumps += 1
            campaign.note(f"{jumps} jumps, {len(asked)} jobs")
            await asyncio.sleep(campaign.dice.uniform(0, 0.8))
        if watching.done():
            await watching
        watching.cancel()
        latest = max((start_at for start_at in asked.values() if start_at), default=0)
        _set(campaign, agent, clock, max(clock.ahead_s, clock.ahead_s + latest + 1 - clock()))

        async def all_ended() -> bool:
            return not await _unfinished(agent)

        with contextlib.suppress(TimeoutError):  # the books below say which one did not end
            await agent.until(all_ended)
        found = await check_books(campaign, agent.store, settings.jobs_dir)
    campaign.promise({job.id for job in found} == set(asked), f"accepted were {set(asked)}, stored {found}")
    for job in found:
        name, start_at = f"job #{job.number} ({job.id})", asked[job.id]
        campaign.promise(job.status == "succeeded", f"{name} is {job.status}: {job.error}")
        early = start_at is not None and job.started_at is not None and job.started_at < start_at
        campaign.promise(not early, f"{name} was not to start before {start_at} and started at {job.started_at}")
        lives = agent.lives(job.id)
        campaign.promise(len(lives) == 1, f"{name} had the trainers {lives}")
        checkpoint = agent.folder(job.id).checkpoints / "step-1"
        campaign.promise(checkpoint.exists(), f"{name} has lost its checkpoint")
    return f"{jumps} jumps, {summary_of(found)}"


def _set(campaign: Campaign, agent: Agent, clock: WallClock, ahead_s: float) -> None:
    """Set the clock and wake the supervisor, as agent.timers does when it sees that the time has come."""
    campaign.tell(f"the clock jumps by {ahead_s - clock.ahead_s:.0f} s")
    clock.ahead_s = ahead_s
    agent.store.bell.ring()


async def _unfinished(agent: Agent) -> int:
    return sum(job.status not in FINISHED for job in await all_jobs(agent.store))
