"""Runs the jobs, one at a time: claims the next, starts its children, tries again when one dies, says how it ended."""

import asyncio
import contextlib
import errno
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.adapter_zip import zip_newest_checkpoint
from agent.attempts import reached
from agent.boot import boot_id
from agent.errors import AgentError
from agent.gpu import MIB, Machine
from agent.job_folder import JobFolder, JobSpec
from agent.last_words import paused_at, what_happened
from agent.settings import AgentSettings
from agent.spec import check_disk, make_spec
from agent.store import Store, jobs, running, waiting
from agent.store.patience import PatientStore
from agent.trainer_process import AdoptedTrainer, Trainer, last_line, lock_is_held, start, trainer_environment
from agent.vitals import Signs
from agent.watch import Gone, Timings, Watch
from shared.errors import ErrorCode
from shared.jobs import ATTEMPTS, JobError, JobStatus, PauseReason
from shared.language import _, speaking

log = logging.getLogger(__name__)

TRAINER = (sys.executable, "-m", "agent.pipeline")
FETCH = "--fetch"  # with it, the trainer's command only fetches the base model
CROWDED_MIB = 64  # a trainer that died with less free disk than this died of that


@dataclass(frozen=True, kw_only=True)
class Work:
    """A job in the supervisor's hands."""

    job_id: str
    number: int
    folder: JobFolder
    spec: JobSpec


class Supervisor:
    """The one that gives the machine to a job, and takes it back."""

    def __init__(
        self,
        *,
        store: Store,
        settings: AgentSettings,
        machine: Callable[[], Machine],
        model_cache: Callable[[str], Path],
        clock: Callable[[], float],
        trainer: Sequence[str] = TRAINER,
        timings: Timings | None = None,
        boot: Callable[[], str] = boot_id,
        make_way: Callable[[], Awaitable[None]] | None = None,  # frees memory that others than trainers use
    ) -> None:
        self._bell = store.bell
        self._store = PatientStore(store)
        self._settings = settings
        self._machine = machine
        self._model_cache = model_cache
        self._clock = clock
        self._command = tuple(trainer)
        self._timings = timings or Timings()
        self._boot = boot
        self._make_way = make_way
        self._watch: Watch | None = None

    async def run(self) -> None:
        """Take up what an earlier agent left, then run job after job. Cancelling this leaves a trainer running."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wind_up())
            for job in await self._store.run(jobs.with_status, JobStatus.running):
                await self._guarded(job.id, partial(self._conduct, taken_up=True))
            while True:
                await self._run_next()

    def signs(self, job_id: str) -> Signs | None:
        """Say how a job's trainer does; None while none is watched."""
        return self._watch.signs() if self._watch is not None and self._watch.job_id == job_id else None

    async def _run_next(self) -> None:
        news = self._bell.listen()
        claim = await self._store.run(running.claim_next, now=self._clock())
        if claim is not None:
            await self._guarded(claim.job.id, self._conduct)
            return
        held_s = await self._store.run(waiting.held_s, now=self._clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(held_s):
                await news.wait()

    async def _wind_up(self) -> None:
        """End the jobs that are cancelled while they have no trainer: paused ones, and those in line to go on."""
        while True:
            news = self._bell.listen()
            for job_id in await self._store.run(running.to_wind_up):
                await self._guarded(job_id, self._wound_up)
            await news.wait()

    async def _wound_up(self, job_id: str) -> None:
        await self._end(job_id, self._folder(job_id), JobStatus.cancelled, _("Cancelled while it was paused."))

    async def _guarded(self, job_id: str, work: Callable[[str], Awaitable[None]]) -> None:
        """One job that cannot be run must not stop the ones behind it. Its texts are in its requester's language."""
        try:
            with speaking(await self._store.run(jobs.language, job_id)):
                await work(job_id)
        except AgentError as error:
            failure = JobError(code=error.code, message=error.message, param=error.param)
            await self._store.run(jobs.fail, job_id, failure, now=self._clock())
        except Exception as error:
            log.exception("%s: the supervisor failed", job_id)
            code = ErrorCode.insufficient_disk if _disk_is_full(error) else ErrorCode.internal
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            message = _("The job could not be run: {reason}. The agent's log has the details.", reason=reason)
            await self._store.run(jobs.fail, job_id, JobError(code=code, message=message), now=self._clock())

    async def _conduct(self, job_id: str, *, taken_up: bool = False) -> None:
        """Run child after child until the job has ended or is paused.

        `taken_up`: an earlier agent may have started a trainer a moment ago, which has no lock yet.
        """
        work = await self._prepared(job_id)
        if taken_up:
            await self._wait_for_lock(work.folder)
        # One of an earlier agent, gone or not, is looked at before anything is started in its place.
        left = taken_up and work.folder.heartbeat.exists() and await self._store.run(running.was_spawned, job_id)
        while True:
            fetched = work.folder.is_fetched()
            trainer = AdoptedTrainer(work.folder) if left else await self._trainer(work)
            left = False
            gone = await self._watched(work, trainer)
            if gone is Gone.with_last_word:
                return
            if not fetched and work.folder.is_fetched() and not await self._wished_away(work):
                continue
            if await self._is_over(work, gone, trainer):
                return

    async def _prepared(self, job_id: str) -> Work:
        """Make the job folder, unless it is there from before. Raises AgentError."""
        claim = await self._store.run(running.claim_of, job_id)
        folder = self._folder(job_id)
        if not folder.spec.exists():
            machine = await asyncio.to_thread(self._machine)
            check_disk(claim.plan.plan, machine)
            cache = self._model_cache(claim.plan.plan.model)
            await asyncio.to_thread(folder.create, make_spec(claim, self._settings, machine, cache))
        folder.pause_request.unlink(missing_ok=True)
        return Work(job_id=job_id, number=claim.job.number, folder=folder, spec=folder.read_spec())

    async def _trainer(self, work: Work) -> Trainer:
        """Take up the trainer that holds the lock, or start the child that is next."""
        if lock_is_held(work.folder.lock):
            return AdoptedTrainer(work.folder)
        await self._store.run(running.spawning, work.job_id, boot=self._boot())
        if not work.folder.is_fetched():
            token = self._settings.hf_token.get_secret_value() if self._settings.hf_token else None
            environment = trainer_environment(work.folder, threads=work.spec.threads, hub_token=token, online=True)
            return await asyncio.to_thread(start, (*self._command, FETCH), work.folder, environment)
        if self._make_way is not None:
            await self._make_way()
        gpu = (await asyncio.to_thread(self._machine)).gpu if work.spec.device == "cuda" else None
        environment = trainer_environment(work.folder, threads=work.spec.threads, gpu=gpu)
        return await asyncio.to_thread(start, self._command, work.folder, environment)

    async def _watched(self, work: Work, trainer: Trainer) -> Gone:
        self._watch = Watch(
            work.job_id,
            work.folder,
            trainer,
            store=self._store,
            settings=self._settings,
            clock=self._clock,
            timings=self._timings,
        )
        try:
            return await self._watch.until_gone()
        finally:
            self._watch = None

    async def _wished_away(self, work: Work) -> bool:
        look = await self._store.run(running.look, work.job_id)
        return look.cancel_requested or look.pause_wish is not None

    async def _is_over(self, work: Work, gone: Gone, trainer: Trainer) -> bool:
        """Decide about a job whose trainer left without a last word: True when nothing more is to be started now."""
        if lock_is_held(work.folder.lock):
            return False  # another one was quicker, and is taken up
        look = await self._store.run(running.look, work.job_id)
        now = self._clock()
        if look.cancel_requested:
            message = _("Cancelled; the trainer had to be stopped.")
            await self._end(work.job_id, work.folder, JobStatus.cancelled, message)
            return True
        if look.pause_wish is not None:
            await self._pause(work, look.pause_wish, paused_at(work.folder))
            return True
        free_mib = shutil.disk_usage(work.folder.path).free // MIB
        if free_mib < CROWDED_MIB:
            message = _(
                "The disk of the GPU machine is full ({free_mib} MiB free). Free some space, then resume the job.",
                free_mib=free_mib,
            )
            await self._pause(work, PauseReason.disk, message)
            return True
        if gone is Gone.nonsense:
            await self._fail(work, _("The trainer wrote an event that cannot be read, and was stopped"))
            return True
        come = reached(work.folder)
        death = await self._store.run(running.count_death, work.job_id, come, boot=self._boot())
        happened = _("The machine was off") if death.rebooted else what_happened(work.folder, gone, trainer)
        if death.following is None:
            await self._fail(
                work,
                _(
                    "{happened}. That was attempt {attempts} of {attempts} without getting further",
                    happened=happened,
                    attempts=ATTEMPTS,
                ),
            )
            return True
        onward = _("Going on from step {step}", step=come.step) if come.step else _("Beginning again")
        message = _(
            "{happened}. {onward}, attempt {following} of {attempts}.",
            happened=happened,
            onward=onward,
            following=death.following,
            attempts=ATTEMPTS,
        )
        await self._store.run(running.say, work.job_id, message, now=now, level="warn")
        log.warning("%s: %s", work.job_id, message)
        return False

    async def _pause(self, work: Work, reason: PauseReason, message: str) -> None:
        await self._store.run(running.pause, work.job_id, reason, message=message, now=self._clock())

    async def _fail(self, work: Work, happened: str) -> None:
        line = await asyncio.to_thread(last_line, work.folder.log)
        quoted = _(" Its log ends with “{line}”.", line=line) if line else ""
        await self._end(work.job_id, work.folder, JobStatus.failed, f"{happened}.{quoted}")

    async def _end(self, job_id: str, folder: JobFolder, to: JobStatus, happened: str) -> None:
        """End a job whose trainer did not do it, and hand out what it had learned."""
        adapter = await asyncio.to_thread(zip_newest_checkpoint, folder)
        kept = await self._store.run(running.checkpoints_kept, job_id)
        message, error = f"{happened} {kept}", None
        if to is JobStatus.failed:
            message += _(" The job's log has more; the same settings can be started again.")
            error = JobError(code=ErrorCode.trainer_died, message=message)
        await self._store.run(
            running.end,
            job_id,
            to,
            message=message,
            error=error,
            adapter=adapter,
            folder=folder.path,
            data_dir=self._settings.hearth_data_dir,
            now=self._clock(),
        )

    async def _wait_for_lock(self, folder: JobFolder) -> None:
        """Give a trainer that was started just before the old agent ended the time to take its lock."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timings.adoption_s
        while not lock_is_held(folder.lock) and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(self._timings.poll_s)

    def _folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self._settings.jobs_dir / job_id)


def _disk_is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
