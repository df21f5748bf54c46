"""What recurs by the wall clock: sweeps of the disk and of the store.

APScheduler sleeps by a clock that only goes forward, so it is woken every few seconds to look at the wall clock again:
a clock that was set, or a machine that slept, makes nothing late. A scheduled start of a job needs no timer: the
supervisor sleeps until it is due.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

LOOK_S = 15.0
SWEEP_MINUTES = 60
FIRST_SWEEP_S = 60.0  # after the start, when nobody waits for the agent to be up

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)


class Timers:
    """Rings for whoever handed in what recurs."""

    def __init__(
        self, *, sweep: Callable[[], Awaitable[None]], look_s: float = LOOK_S, first_sweep_s: float = FIRST_SWEEP_S
    ) -> None:
        self._sweep = sweep
        self._look_s = look_s
        self._first_sweep_s = first_sweep_s
        # No misfire limit: what was missed while the machine slept happens once, when it is awake.
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})

    async def run(self) -> None:
        """Keep time until cancelled."""
        first = datetime.now(UTC) + timedelta(seconds=self._first_sweep_s)
        self._scheduler.add_job(self._sweep_quietly, "interval", minutes=SWEEP_MINUTES, next_run_time=first)
        self._scheduler.start()
        try:
            while True:
                await asyncio.sleep(self._look_s)
                self._scheduler.wakeup()
        finally:
            self._scheduler.shutdown(wait=False)

    async def _sweep_quietly(self) -> None:
        """Sweep; one that fails is logged, and the next comes all the same."""
        with contextlib.suppress(asyncio.CancelledError):  # the agent is being stopped: no word for the log
            try:
                await self._sweep()
            except Exception:
                log.exception("the sweep of the disk failed, and is made again in %d min", SWEEP_MINUTES)
