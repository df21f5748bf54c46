"""A job whose time has come is looked at, also when the clock was set meanwhile."""

import asyncio
import time

from agent.settings import AgentSettings
from agent.store import Store
from agent.timers import Timers
from tests.agent.running import run_agent


async def nothing() -> None:
    """Sweep nothing."""


async def keep_time(store: Store) -> asyncio.Task[None]:
    return asyncio.create_task(Timers(store=store, sweep=nothing, look_s=0.05).run())


async def test_bell_is_rung_at_the_time_of_a_scheduled_start(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        job_id = await agent.create(start_at=round(time.time()) + 1)
        await agent.until_status(job_id, "queued")
        timers = await keep_time(agent.store)
        async with asyncio.timeout(10):
            await agent.store.bell.listen().wait()
        assert time.time() >= (await agent.job(job_id))["start_at"]
        timers.cancel()
        await asyncio.gather(timers, return_exceptions=True)


async def test_sweep_runs_soon_after_the_start(settings: AgentSettings) -> None:
    swept = asyncio.Event()

    async def sweep() -> None:
        swept.set()

    async with run_agent(settings, works=False) as agent:
        timers = asyncio.create_task(Timers(store=agent.store, sweep=sweep, first_sweep_s=0).run())
        async with asyncio.timeout(10):
            await swept.wait()
        timers.cancel()
        await asyncio.gather(timers, return_exceptions=True)
