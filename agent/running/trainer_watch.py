"""Watches one trainer until it is gone: moves its events into the store, passes wishes on, notices when it stalls."""

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from pydantic import ValidationError

from agent.job_folder.durable import replace_file
from agent.job_folder.events import read_events
from agent.job_folder.folder import JobFolder
from agent.running.trainer_health import HealthSigns, HealthTracker, Limits
from agent.running.trainer_process import Trainer
from agent.settings import AgentSettings
from agent.store import Store, jobs, running_jobs
from agent.store.running_jobs import JobWishes
from shared.jobs import TrainerHealth
from shared.language import _, decimal

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long the supervisor waits for what, in seconds."""

    poll_s: float = 0.2
    terminate_after_s: float = 6.0  # after a cancel was asked for: SIGTERM
    kill_after_s: float = 9.0  # and SIGKILL
    pause_kill_after_s: float = 24.0  # after a pause was asked for: SIGKILL; what is not in a checkpoint is done again
    linger_s: float = 10.0  # what a trainer has to exit after its last word
    look_s: float = 15.0  # between two looks at the clock, while a job waits for its time
    adoption_s: float = 2.0  # what a trainer just started by an earlier agent has to take its lock
    limits: Limits = field(default_factory=Limits)


class TrainerExit(Enum):
    """How a trainer left."""

    with_last_word = auto()  # the job has ended, or is paused by the trainer itself
    without = auto()
    stalled = auto()  # it had to be ended
    nonsense = auto()  # it wrote what cannot be read
    outdated = auto()  # it ran the code of before an update, and was asked to leave


class TrainerWatch:
    """One trainer being watched. What is seen of it goes into `vitals`, for whoever shows the job."""

    def __init__(
        self,
        job_id: str,
        folder: JobFolder,
        trainer: Trainer,
        *,
        store: Store,
        settings: AgentSettings,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        timings: Timings,
        vitals: HealthTracker,
    ) -> None:
        self._job_id = job_id
        self._folder = folder
        self._trainer = trainer
        self._store = store
        self._settings = settings
        self._clock = clock
        self._timings = timings
        self._monotonic = monotonic
        self._vitals = vitals
        self._said: TrainerHealth = TrainerHealth.well
        self._asked_at: float | None = None
        self._asked_to_pause_at: float | None = None

    async def until_gone(self) -> TrainerExit:
        """Watch until the trainer is gone. Whatever goes wrong here, it does not stay behind unwatched."""
        try:
            return await self._until_gone()
        except Exception:
            self._trainer.signal(signal.SIGKILL)  # the next job needs the machine
            raise

    async def _until_gone(self) -> TrainerExit:
        while True:
            alive = self._trainer.alive()  # before the last look at its events, so that nothing is missed
            try:
                look = await self._tail()
            except ValidationError:
                log.exception("%s: an event cannot be read", self._job_id)
                await self._remove()
                return TrainerExit.nonsense
            if look.finished or look.paused:
                await self._has_left()
                await self._remove()
                return TrainerExit.with_last_word
            if not alive:
                self._trainer.signal(signal.SIGKILL)  # whatever it started must not outlive it
                return TrainerExit.without
            self._pass_on(look)
            if await self._is_hopeless():
                return TrainerExit.stalled
            await asyncio.sleep(self._timings.poll_s)

    async def _tail(self) -> JobWishes:
        """Move what the trainer wrote into the store."""
        look = await self._store.run(running_jobs.look, self._job_id)
        records, offset = await asyncio.to_thread(read_events, self._folder.events, look.tail_offset)
        if not records:
            return look
        return await self._store.run(
            running_jobs.take_events,
            self._job_id,
            records,
            offset=offset,
            folder=self._folder.path,
            data_dir=self._settings.hearth_data_dir,
            now=self._clock(),
        )

    # --- wishes

    def _pass_on(self, look: JobWishes) -> None:
        now = self._monotonic()
        if look.cancel_requested:
            if self._asked_at is None:
                self._asked_at = self._ask(self._folder.cancel_request, now)
            self._press(now - self._asked_at)
        elif look.pause_wish:
            if self._asked_to_pause_at is None:
                self._asked_to_pause_at = self._ask(self._folder.pause_request, now)
            if now - self._asked_to_pause_at >= self._timings.pause_kill_after_s:
                self._trainer.signal(signal.SIGKILL)

    def _ask(self, request: Path, now: float) -> float:
        """Leave a wish in the job folder; return when it was asked for. On a full disk the signals must do."""
        try:
            request.parent.mkdir(parents=True, exist_ok=True)
            replace_file(request, b"")
        except OSError:
            log.exception("%s: the wish cannot be left in the job folder", self._job_id)
        return now

    def _press(self, waited_s: float) -> None:
        """Tell a trainer that does not hear a cancel, then make it."""
        if waited_s >= self._timings.kill_after_s:
            self._trainer.signal(signal.SIGKILL)
        elif waited_s >= self._timings.terminate_after_s:
            self._trainer.signal(signal.SIGTERM)

    async def _has_left(self) -> None:
        """Wait for a trainer to leave the machine by itself; the next one needs it."""
        deadline = self._monotonic() + self._timings.linger_s
        while self._trainer.alive() and self._monotonic() < deadline:  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(self._timings.poll_s)

    async def _remove(self) -> None:
        """End whatever is left of it."""
        self._trainer.signal(signal.SIGKILL)
        await self._has_left()

    # --- signs of life

    async def _is_hopeless(self) -> bool:
        """Read the heartbeat, say a change for the worse or the better, and end a trainer that will not go on."""
        heartbeat = await asyncio.to_thread(self._folder.read_heartbeat)
        signs = self._vitals.note(heartbeat, now=self._monotonic())
        if signs.health is not self._said:
            self._said = signs.health
            level: jobs.Level = "info" if signs.health is TrainerHealth.well else "warn"
            await self._store.run(running_jobs.say, self._job_id, describe(signs), now=self._clock(), level=level)
        if not signs.hopeless:
            return False
        log.warning("%s: ending a trainer that stands still: %s", self._job_id, describe(signs))
        if hasattr(signal, "SIGUSR1"):
            self._trainer.signal(signal.SIGUSR1)  # its stacks go to the log
            await asyncio.sleep(self._timings.poll_s)
        await self._remove()
        return True


def describe(signs: HealthSigns) -> str:
    """Say in a sentence how a trainer does."""
    doing = _("stage {stage}", stage=signs.stage.value) if signs.stage else _("its start")
    usual = (
        _("; a step usually takes {span}", span=_span(signs.typical_step_s)) if signs.typical_step_s is not None else ""
    )
    if signs.health is TrainerHealth.silent:
        return _(
            "The trainer has given no sign of life for {span} (in {doing}, step {step})",
            span=_span(signs.proof_age_s),
            doing=doing,
            step=signs.step,
        )
    if signs.health is TrainerHealth.well:
        return _("The work moves again")
    ending = _(". It is started again from its newest checkpoint") if signs.hopeless else ""
    return _(
        "Nothing has moved for {span} (in {doing}, step {step}{usual}){ending}",
        span=_span(signs.work_age_s),
        doing=doing,
        step=signs.step,
        usual=usual,
        ending=ending,
    )


def _span(seconds: float) -> str:
    if seconds >= 120:
        return _("{n} min", n=decimal(seconds / 60, 0))
    return _("{n} s", n=decimal(seconds, 0 if seconds >= 10 else 1))
