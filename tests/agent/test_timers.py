"""A job whose time has come is looked at, also when the clock was set meanwhile."""

import asyncio
import time

import pytest
import time_machine

from agent.settings import AgentSettings
from agent.store import Store
from agent.timers import Timers
from tests.agent.running import run_agent

pytestmark = pytest.mark.process

DAY_S = 24 * 3600
LOOK_S, LOOKS = 0.05, 6


async def nothing() -> None:
    """Sweep nothing."""


async def keep_time(store: Store) -> asyncio.Task[None]:
    return asyncio.create_task(Timers(store=store, sweep=nothing, look_s=LOOK_S).run())


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


@pytest.mark.parametrize("jump_s", [-DAY_S, 0, DAY_S])
async def test_bell_is_rung_when_its_time_has_come_by_a_clock_that_was_set(
    settings: AgentSettings, jump_s: int
) -> None:
    async with run_agent(settings, works=False) as agent:
        start_at = round(time.time()) + DAY_S // 2
        job_id = await agent.create(start_at=start_at)
        await agent.until_status(job_id, "queued")
        timers = await keep_time(agent.store)
        rung = agent.store.bell.listen()
        with time_machine.travel(time.time() + min(jump_s, 0)), pytest.raises(TimeoutError):
            async with asyncio.timeout(LOOKS * LOOK_S):
                await rung.wait()  # it is not rung before
        with time_machine.travel(start_at - 0.2 + max(jump_s, 0)):
            async with asyncio.timeout(10):
                await rung.wait()
            assert time.time() >= start_at
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
