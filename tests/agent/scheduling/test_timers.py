"""What recurs goes on recurring, whatever one turn of it did."""

import asyncio

import pytest
import time_machine

from agent.scheduling.timers import SWEEP_MINUTES, Timers

HOUR_S = 3600


async def kept_until(swept: "asyncio.Queue[int]", times: int, timers: Timers) -> None:
    """Keep time until it was swept so often; each turn an hour later by the wall clock."""
    running = asyncio.create_task(timers.run())
    try:
        async with asyncio.timeout(10):
            with time_machine.travel(1_800_000_000) as clock:
                for _ in range(times):
                    await swept.get()
                    clock.shift(SWEEP_MINUTES * 60 + 1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_sweep_runs_soon_after_the_start_and_every_hour_of_the_wall_clock() -> None:
    swept: asyncio.Queue[int] = asyncio.Queue()

    async def sweep() -> None:
        swept.put_nowait(1)

    await kept_until(swept, 3, Timers(sweep=sweep, first_sweep_s=0, look_s=0.02))


async def test_a_sweep_that_fails_is_logged_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    swept: asyncio.Queue[int] = asyncio.Queue()

    async def sweep() -> None:
        swept.put_nowait(1)
        raise OverflowError("date value out of range")

    await kept_until(swept, 2, Timers(sweep=sweep, first_sweep_s=0, look_s=0.02))
    assert "the sweep of the disk failed" in caplog.text
