"""What happens by the wall clock: scheduled starts, and sweeps of the disk.

APScheduler keeps the times; ours are read from the store at each change, so nothing of it needs to be saved. It sleeps
by a clock that only goes forward, so it is woken every few seconds to look at the wall clock again: a clock that was
set, or a machine that slept, makes nothing late.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from agent.store import Store, waiting
from agent.store.patience import PatientStore

LOOK_S = 15.0
SWEEP_MINUTES = 60
FIRST_SWEEP_S = 60.0  # after the start, when nobody waits for the agent to be up

logging.getLogger("apscheduler").setLevel(logging.WARNING)


class Timers:
    """Rings the store's bell when a job's time has come; the supervisor looks then."""

    def __init__(
        self,
        *,
        store: Store,
        sweep: Callable[[], Awaitable[None]],
        look_s: float = LOOK_S,
        first_sweep_s: float = FIRST_SWEEP_S,
    ) -> None:
        self._store = store
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
                news = self._store.bell.listen()
                await self._set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        await news.wait()
                self._scheduler.wakeup()
        finally:
            self._scheduler.shutdown(wait=False)

    async def _set(self) -> None:
        """Hold exactly the times that the store has."""
        due = await PatientStore(self._store).run(waiting.due_times)
        known = {job.id for job in self._scheduler.get_jobs() if job.id.startswith("ftjob-")}
        for job_id in known - set(due):
            self._scheduler.remove_job(job_id)
        for job_id, start_at in due.items():
            if job_id not in known and start_at > datetime.now(UTC).timestamp():
                self._scheduler.add_job(self._ring, "date", run_date=datetime.fromtimestamp(start_at, UTC), id=job_id)

    async def _sweep_quietly(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the agent is being stopped: no word for the log
            await self._sweep()

    async def _ring(self) -> None:
        self._store.bell.ring()
