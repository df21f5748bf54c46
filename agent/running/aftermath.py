"""What follows when a trainer left without a last word: its job is paused, ended, or tried again."""

import asyncio
import logging
import shutil
from collections.abc import Callable

from agent.adapting.revision import step_down
from agent.export.adapter_zip import zip_newest_checkpoint
from agent.job_folder.folder import JobFolder
from agent.machine.gpu import MIB, Machine
from agent.machine.oom_kills import oom_kills
from agent.running.job_spec import gpu_of
from agent.running.last_words import paused_at, what_happened
from agent.running.trainer_process import AdoptedTrainer, Trainer, last_line, lock_is_held
from agent.running.trainer_watch import TrainerExit
from agent.scheduling.attempts import reached
from agent.settings import AgentSettings
from agent.store import Store, running_jobs
from shared.errors import ErrorCode
from shared.events import EventRecord
from shared.jobs import ATTEMPTS, JobError, JobStatus, PauseReason
from shared.language import _

log = logging.getLogger(__name__)

CROWDED_MIB = 64  # a trainer that died with less free disk than this died of that


class Aftermath:
    """Decides about jobs that have no trainer any more."""

    def __init__(
        self,
        *,
        store: Store,
        settings: AgentSettings,
        machine: Callable[[], Machine],
        clock: Callable[[], float],
        boot: Callable[[], str],
        oom_kills: Callable[[], int | None] = oom_kills,
    ) -> None:
        self._store = store
        self._settings = settings
        self._machine = machine
        self._clock = clock
        self._boot = boot
        self._oom_kills = oom_kills
        self._ended_by_now = oom_kills()

    async def wind_up(self, job_id: str) -> None:
        """End a job that was cancelled while it had no trainer."""
        folder = self._settings.job_folder(job_id)
        await self._end(job_id, folder, JobStatus.cancelled, _("Cancelled while it was paused."))

    def begins(self) -> None:
        """Note that a trainer is started: what Linux has ended until now was another."""
        self._ended_by_now = self._oom_kills()

    async def settles(self, job_id: str, folder: JobFolder, gone: TrainerExit, trainer: Trainer) -> bool:
        """Decide about a job whose trainer left without a last word: True when nothing more is to be started now.

        Raises GpuLostError, and counts no death, where its GPU went with it.
        """
        if lock_is_held(folder.lock):
            return False  # another one was quicker, and is taken up
        look = await self._store.run(running_jobs.look, job_id)
        if look.cancel_requested:
            await self._end(job_id, folder, JobStatus.cancelled, _("Cancelled; the trainer had to be stopped."))
        elif look.pause_wish is not None:
            await self._pause(job_id, look.pause_wish, paused_at(folder))
        elif (free_mib := shutil.disk_usage(folder.path).free // MIB) < CROWDED_MIB:
            message = _(
                "The disk of the GPU machine is full ({free_mib} MiB free). Free some space, then resume the job.",
                free_mib=free_mib,
            )
            await self._pause(job_id, PauseReason.disk, message)
        elif gone is TrainerExit.nonsense:
            await self._fail(job_id, folder, _("The trainer wrote an event that cannot be read, and was stopped"))
        else:
            return await self._is_last_death(job_id, folder, gone, trainer)
        return True

    async def _is_last_death(self, job_id: str, folder: JobFolder, gone: TrainerExit, trainer: Trainer) -> bool:
        """Count a death, and say what follows: the end of the job (True), or the next attempt."""
        if folder.read_spec().device == "cuda":
            gpu_of(await asyncio.to_thread(self._machine))
        come = reached(folder)
        onward = _("Going on from step {step}", step=come.step) if come.step else _("Beginning again")
        if gone is TrainerExit.outdated:
            message = _("Hearth was updated. {onward}, with the new version.", onward=onward)
            await self._store.run(running_jobs.say, job_id, message, now=self._clock())
            return False
        if gone is TrainerExit.without and self._was_memory(trainer) and await self._adapts(job_id, folder, trainer):
            return False
        death = await self._store.run(running_jobs.count_death, job_id, come, boot=self._boot())
        happened = _("The machine was off") if death.rebooted else what_happened(folder, gone, trainer)
        if death.following is None:
            await self._fail(
                job_id,
                folder,
                _(
                    "{happened}. That was attempt {attempts} of {attempts} without getting further",
                    happened=happened,
                    attempts=ATTEMPTS,
                ),
            )
            return True
        message = _(
            "{happened}. {onward}, attempt {following} of {attempts}.",
            happened=happened,
            onward=onward,
            following=death.following,
            attempts=ATTEMPTS,
        )
        await self._store.run(running_jobs.say, job_id, message, now=self._clock(), level="warn")
        log.warning("%s: %s", job_id, message)
        return False

    def _was_memory(self, trainer: Trainer) -> bool:
        """Say whether Linux has ended a process for want of memory since the last look, and the trainer may be it."""
        before, self._ended_by_now = self._ended_by_now, self._oom_kills()
        return before is not None and (self._ended_by_now or 0) > before and trainer.may_be_killed()

    async def _adapts(self, job_id: str, folder: JobFolder, trainer: Trainer) -> bool:
        """Let a job whose trainer needed too much memory go on with less, if there is a way."""
        heartbeat = await asyncio.to_thread(folder.read_heartbeat)
        if heartbeat is None or heartbeat.stage is None:
            return False
        gently = isinstance(trainer, AdoptedTrainer)  # nobody saw how it ended
        adapted = await asyncio.to_thread(step_down, folder, heartbeat.stage, gently=gently)
        if adapted is None:
            return False
        packed = folder.artifact(adapted.packed) if adapted.packed is not None else None
        await self._store.run(running_jobs.adapt, job_id, heartbeat.stage, adapted, packed, now=self._clock())
        log.warning("%s: %s", job_id, adapted.message)
        return True

    async def _pause(self, job_id: str, reason: PauseReason, message: str) -> None:
        await self._store.run(running_jobs.pause, job_id, reason, message=message, now=self._clock())

    async def _fail(self, job_id: str, folder: JobFolder, happened: str) -> None:
        line = await asyncio.to_thread(last_line, folder.log)
        quoted = _(" Its log ends with “{line}”.", line=line) if line else ""
        await self._end(job_id, folder, JobStatus.failed, f"{happened}.{quoted}")

    async def _end(self, job_id: str, folder: JobFolder, to: JobStatus, happened: str) -> None:
        """End a job whose trainer did not do it, and hand out what it had learned."""
        adapter = await asyncio.to_thread(_pack, folder, self._clock())
        kept = await self._store.run(running_jobs.checkpoints_kept, job_id)
        message, error = f"{happened} {kept}", None
        if to is JobStatus.failed:
            message += _(" The job's log has more; the same settings can be started again.")
            error = JobError(code=ErrorCode.trainer_died, message=message)
        await self._store.run(
            running_jobs.end,
            job_id,
            to,
            message=message,
            error=error,
            adapter=adapter,
            folder=folder.path,
            data_dir=self._settings.hearth_data_dir,
            now=self._clock(),
        )


def _pack(folder: JobFolder, now: float) -> EventRecord | None:
    """Pack what was learned; return the event that hands it out, None where there is nothing."""
    path = zip_newest_checkpoint(folder)
    if path is None:
        return None
    return EventRecord(created_at=now, message=_("{name} is ready.", name=path.name), data=folder.artifact(path))
