"""Runs the jobs, one at a time: claims the next, starts its trainer, tails it, stops it, and says how it ended."""

import asyncio
import contextlib
import errno
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.errors import AgentError
from agent.gpu import Machine
from agent.job_folder import JobFolder, JobSpec, read_events, replace_file
from agent.settings import AgentSettings
from agent.store import Store, jobs, running, waiting
from agent.store.running import Claim, Look
from agent.trainer_process import (
    AdoptedTrainer,
    Trainer,
    last_line,
    lock_is_held,
    start,
    trainer_environment,
)
from shared.errors import ErrorCode
from shared.jobs import Job, JobError, JobStatus, Stage
from shared.plans import Plan

log = logging.getLogger(__name__)

TRAINER = (sys.executable, "-m", "agent.pipeline")
FETCH = "--fetch"  # with it, the trainer's command only fetches the base model


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long the supervisor waits for what, in seconds."""

    poll_s: float = 0.2
    terminate_after_s: float = 6.0  # after a cancel was asked for: SIGTERM
    kill_after_s: float = 9.0  # and SIGKILL
    linger_s: float = 10.0  # what a trainer has to exit after its last word
    adoption_s: float = 2.0  # what a trainer just started by an earlier agent has to take its lock


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
    ) -> None:
        self._store = store
        self._settings = settings
        self._machine = machine
        self._model_cache = model_cache
        self._clock = clock
        self._command = tuple(trainer)
        self._timings = timings or Timings()

    async def run(self) -> None:
        """Take up what an earlier agent left, then run job after job. Cancelling this leaves a trainer running."""
        for job in await self._store.run(jobs.with_status, JobStatus.running):
            await self._guarded(job.id, self._take_up(job))
        while True:
            news = self._store.bell.listen()
            claim = await self._store.run(running.claim_next, now=self._clock())
            if claim is not None:
                await self._guarded(claim.job.id, self._conduct(claim))
                continue
            held_s = await self._store.run(waiting.held_s, now=self._clock())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(held_s):
                    await news.wait()

    async def _guarded(self, job_id: str, work: Coroutine[None, None, None]) -> None:
        """One job that cannot be run must not stop the ones behind it."""
        try:
            await work
        except AgentError as error:
            failure = JobError(code=error.code, message=error.message, param=error.param)
            await self._store.run(jobs.fail, job_id, failure, now=self._clock())
        except Exception as error:
            log.exception("%s: the supervisor failed", job_id)
            code = ErrorCode.insufficient_disk if _disk_is_full(error) else ErrorCode.internal
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            message = f"The job could not be run: {reason}. The agent's log has the details."
            await self._store.run(jobs.fail, job_id, JobError(code=code, message=message), now=self._clock())

    async def _conduct(self, claim: Claim) -> None:
        machine = await asyncio.to_thread(self._machine)
        _check_disk(claim.plan.plan, machine)
        folder = self._folder(claim.job.id)
        spec = self._spec(claim, machine)
        await asyncio.to_thread(folder.create, spec)
        if await self._fetch(claim.job.id, folder, spec):
            await self._train(claim.job.id, folder, spec)

    async def _take_up(self, job: Job) -> None:
        """Go on with a job that an earlier agent started."""
        folder = self._folder(job.id)
        await self._wait_for_lock(folder)
        if await self._attend(job.id, folder, AdoptedTrainer(folder)):
            return
        if not folder.events.exists():  # claimed, and then the agent ended: nothing of it ever ran
            await self._conduct(await self._store.run(running.claim_of, job.id))
            return
        look = await self._store.run(running.look, job.id)
        if look.stage in {None, Stage.fetch} and self._fetched(folder) and not look.cancel_requested:
            await self._train(job.id, folder, folder.read_spec())
        else:
            await self._end(job.id, folder, "The agent was stopped and the trainer ended unseen")

    async def _fetch(self, job_id: str, folder: JobFolder, spec: JobSpec) -> bool:
        """Run the one child that has the network; say whether the job goes on."""
        token = self._settings.hf_token.get_secret_value() if self._settings.hf_token else None
        environment = trainer_environment(folder, threads=spec.threads, hub_token=token, online=True)
        child = await asyncio.to_thread(start, (*self._command, FETCH), folder, environment)
        if await self._attend(job_id, folder, child):
            return False
        look = await self._store.run(running.look, job_id)
        if look.cancel_requested or (child.outcome() != "exit code 0" and not self._fetched(folder)):
            await self._end(job_id, folder, f"The base model could not be fetched ({child.outcome()})")
            return False
        return True

    async def _train(self, job_id: str, folder: JobFolder, spec: JobSpec) -> None:
        gpu = (await asyncio.to_thread(self._machine)).gpu if spec.device == "cuda" else None
        environment = trainer_environment(folder, threads=spec.threads, gpu=gpu)
        trainer = await asyncio.to_thread(start, self._command, folder, environment)
        if not await self._attend(job_id, folder, trainer):
            await self._end(job_id, folder, f"The trainer ended without a last word ({trainer.outcome()})")

    async def _attend(self, job_id: str, folder: JobFolder, trainer: Trainer) -> bool:
        """Tail a trainer until the job has ended (True) or the trainer is gone without saying so (False)."""
        try:
            return await self._follow(job_id, folder, trainer)
        except Exception:
            trainer.signal(signal.SIGKILL)  # nobody watches it any more, and the next job needs the machine
            raise

    async def _follow(self, job_id: str, folder: JobFolder, trainer: Trainer) -> bool:
        asked_at: float | None = None
        while True:
            alive = trainer.alive()  # before the last look at its events, so that nothing is missed
            look = await self._tail(job_id, folder, trainer)
            if look.finished:
                await self._see_off(trainer)
                return True
            if not alive:
                trainer.signal(signal.SIGKILL)  # whatever it started must not outlive it
                return False
            if look.cancel_requested:
                asked_at = self._press(folder, trainer, asked_at)
            await asyncio.sleep(self._timings.poll_s)

    async def _tail(self, job_id: str, folder: JobFolder, trainer: Trainer) -> Look:
        """Move what the trainer wrote into the store."""
        look = await self._store.run(running.look, job_id)
        try:
            records, offset = await asyncio.to_thread(read_events, folder.events, look.tail_offset)
        except ValidationError:
            log.exception("%s: an event cannot be read", job_id)
            trainer.signal(signal.SIGKILL)
            await self._end(job_id, folder, "The trainer wrote an event that cannot be read, and was stopped")
            return await self._store.run(running.look, job_id)
        if not records:
            return look
        return await self._store.run(
            running.take_events,
            job_id,
            records,
            offset=offset,
            folder=folder.path,
            data_dir=self._settings.hearth_data_dir,
            now=self._clock(),
        )

    def _press(self, folder: JobFolder, trainer: Trainer, asked_at: float | None) -> float:
        """Ask a trainer to stop, then tell it, then make it; return when it was asked first."""
        now = asyncio.get_running_loop().time()
        if asked_at is None:
            folder.cancel_request.parent.mkdir(parents=True, exist_ok=True)
            replace_file(folder.cancel_request, b"")
            return now
        if now - asked_at >= self._timings.kill_after_s:
            trainer.signal(signal.SIGKILL)
        elif now - asked_at >= self._timings.terminate_after_s:
            trainer.signal(signal.SIGTERM)
        return asked_at

    async def _see_off(self, trainer: Trainer) -> None:
        """Wait for a trainer to leave the machine after its last word; the next job needs it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timings.linger_s
        while trainer.alive() and loop.time() < deadline:  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(self._timings.poll_s)
        trainer.signal(signal.SIGKILL)

    async def _wait_for_lock(self, folder: JobFolder) -> None:
        """Give a trainer that was started just before the old agent ended the time to take its lock."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timings.adoption_s
        while not (folder.events.exists() or lock_is_held(folder.lock)) and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(self._timings.poll_s)

    async def _end(self, job_id: str, folder: JobFolder, happened: str) -> None:
        """End a job whose trainer did not do it: cancelled if somebody wanted that, else failed."""
        look = await self._store.run(running.look, job_id)
        kept = await self._store.run(running.checkpoints_kept, job_id)
        if look.cancel_requested:
            to, error, message = JobStatus.cancelled, None, f"Cancelled; the trainer had to be stopped. {kept}"
        else:
            line = await asyncio.to_thread(last_line, folder.log)
            quoted = f" Its log ends with “{line}”." if line else ""
            message = f"{happened}.{quoted} {kept} The job's log has more; the same settings can be started again."
            to, error = JobStatus.failed, JobError(code=ErrorCode.trainer_died, message=message)
        await self._store.run(
            running.end,
            job_id,
            to,
            message=message,
            error=error,
            folder=folder.path,
            data_dir=self._settings.hearth_data_dir,
            now=self._clock(),
        )

    def _folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self._settings.jobs_dir / job_id)

    @staticmethod
    def _fetched(folder: JobFolder) -> bool:
        return folder.stage_marker(Stage.fetch).exists()

    def _spec(self, claim: Claim, machine: Machine) -> JobSpec:
        models_dir = self._settings.hearth_models_dir
        plan = claim.plan.plan
        return JobSpec(
            job_id=claim.job.id,
            number=claim.job.number,
            name=plan.suffix,
            ollama_name=claim.ollama_name,
            base_model=plan.model,
            base_model_cache=str(self._model_cache(plan.model)),
            models_dir=str(models_dir) if models_dir else None,
            base_model_revision=plan.model_revision,
            dataset_path=str(self._settings.hearth_data_dir / claim.dataset.path),
            dataset_sha256=plan.file_sha256,
            form=claim.plan.form,
            settings=plan.settings,
            seed=plan.seed,
            total_steps=plan.steps,
            threads=self._settings.hearth_threads or machine.cores,
            device=machine.device,
        )


def _check_disk(plan: Plan, machine: Machine) -> None:
    """Look again: other jobs have filled the disk since the plan was made. Raises AgentError."""
    needed = plan.disk_mib.low
    if machine.disk_free_mib < needed:
        raise AgentError(
            f"The job needs at least {needed:.0f} MiB of disk; {machine.disk_free_mib} MiB are free in the data folder "
            "now. Free some space and start it again.",
            code=ErrorCode.insufficient_disk,
        )


def _disk_is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
