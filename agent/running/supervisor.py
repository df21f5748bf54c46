"""Runs the jobs of one worker, one at a time: claims the next, starts its children, tries again, says how it ended."""

import asyncio
import contextlib
import errno
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.children.sandbox import Sandbox
from agent.errors import AgentError
from agent.job_folder.code_version import code_version
from agent.job_folder.folder import JobFolder, Phase
from agent.job_folder.spec import JobSpec
from agent.machine.boot import boot_id
from agent.machine.gpu import Machine, make_device_nodes
from agent.running.aftermath import Aftermath
from agent.running.job_spec import (
    GpuLostError,
    check_disk,
    check_gpu,
    fetched_source,
    gpu_of,
    make_spec,
    policy_of,
    with_source,
)
from agent.running.trainer_health import HealthSigns, HealthTracker
from agent.running.trainer_process import AdoptedTrainer, Trainer, lock_is_held, start, trainer_environment
from agent.running.trainer_watch import Timings, TrainerExit, TrainerWatch
from agent.scheduling.worker import LOCAL, worker_of
from agent.settings import AgentSettings
from agent.store import Store, jobs, queued_jobs, running_jobs, workers
from shared.errors import ErrorCode
from shared.jobs import JobError, Stage
from shared.language import _, speaking

log = logging.getLogger(__name__)

TRAINER = (sys.executable, "-m", "agent.pipeline")
FLAGS = {Phase.fetch: ("--fetch",), Phase.train: (), Phase.hand_over: ("--hand-over",)}  # of the trainer's command


@dataclass(frozen=True, kw_only=True)
class Work:
    """A job in the supervisor's hands."""

    job_id: str
    number: int
    folder: JobFolder
    spec: JobSpec


class Supervisor:
    """The one that gives a worker to a job, and takes it back."""

    def __init__(
        self,
        *,
        store: Store,
        settings: AgentSettings,
        machine: Callable[[], Machine],
        model_source: Callable[[str], BaseModelSource],
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        trainer: Sequence[str] = TRAINER,
        timings: Timings | None = None,
        boot: Callable[[], str] = boot_id,
        make_way: Callable[[], Awaitable[None]] | None = None,  # frees memory that others than trainers use
        sandbox: Sandbox | None = None,
        worker: str = LOCAL,
    ) -> None:
        self._bell = store.bell
        self._store = store.patient()
        self._settings = settings
        self._machine = machine
        self._model_source = model_source
        self._clock = clock
        self._monotonic = monotonic
        self._command = tuple(trainer)
        self._timings = timings or Timings()
        self._boot = boot
        self._make_way = make_way
        self._sandbox = sandbox or Sandbox(on=settings.hearth_sandbox)
        self._aftermath = Aftermath(store=self._store, settings=settings, machine=machine, clock=clock, boot=boot)
        self._worker = worker
        self._vitals: tuple[str, HealthTracker] | None = None  # of the job in hand, also while it has no trainer

    async def run(self) -> None:
        """Take up what an earlier agent left, then run job after job. Cancelling this leaves a trainer running."""
        machine = await asyncio.to_thread(self._machine)
        await self._store.run(workers.register, worker_of(machine, self._worker))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wind_up())
            for job in await self._store.run(workers.jobs_on, self._worker):
                await self._guarded(job.id, partial(self._conduct, taken_up=True))
            while True:
                await self._run_next()

    def signs(self, job_id: str) -> HealthSigns | None:
        """Say how a job's trainer does; None for a job that is not in hand."""
        if self._vitals is None or self._vitals[0] != job_id:
            return None
        return self._vitals[1].signs(now=self._monotonic())

    async def _run_next(self) -> None:
        news = self._bell.listen()
        now = self._clock()  # one for both: else a job whose time comes in between is neither claimed nor waited for
        claim = await self._store.run(running_jobs.claim_next, worker=self._worker, now=now)
        if claim is not None:
            await self._guarded(claim.job.id, self._conduct)
            return
        held_s = await self._store.run(queued_jobs.held_s, now=now)
        # Not longer than that: the loop's clock stands still while the machine sleeps, and knows of none that was set.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if held_s is None else min(held_s, self._timings.look_s)):
                await news.wait()

    async def _wind_up(self) -> None:
        """End the jobs that are cancelled while they have no trainer: paused ones, and those in line to go on."""
        while True:
            news = self._bell.listen()
            for job_id in await self._store.run(running_jobs.to_wind_up):
                await self._guarded(job_id, self._aftermath.wind_up)
            await news.wait()

    async def _guarded(self, job_id: str, work: Callable[[str], Awaitable[None]]) -> None:
        """One job that cannot be run must not stop the ones behind it. Its texts are in its requester's language."""
        try:
            with speaking(await self._store.run(jobs.language, job_id)):
                await work(job_id)
        except GpuLostError as error:
            log.warning("%s: %s", job_id, error)
            await self._store.run(running_jobs.pause_without_gpu, job_id, message=str(error), now=self._clock())
        except AgentError as error:
            failure = JobError(code=error.code, message=error.message, param=error.param)
            await self._store.run(jobs.fail, job_id, failure, now=self._clock())
        except Exception as error:
            log.exception("%s: the supervisor failed", job_id)
            code = ErrorCode.insufficient_disk if _disk_is_full(error) else ErrorCode.internal
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            message = _("The job could not be run: {reason}. The agent's log has the details.", reason=reason)
            await self._store.run(jobs.fail, job_id, JobError(code=code, message=message), now=self._clock())
        finally:
            if self._vitals is not None and self._vitals[0] == job_id:
                self._vitals = None

    async def _conduct(self, job_id: str, *, taken_up: bool = False) -> None:
        """Run child after child until the job has ended or is paused.

        `taken_up`: an earlier agent may have started a trainer a moment ago, which has no lock yet.
        """
        self._begin_vitals(job_id, goes_on=taken_up)
        work = await self._prepared(job_id)
        # A child of an earlier agent, gone or not, is looked at before anything is started in its place.
        left = taken_up and await self._left_behind(work)
        phase = _phase_of(work.folder) if left else work.folder.phase()
        while True:
            trainer = AdoptedTrainer(work.folder) if left else await self._trainer(work)
            left = False
            outdated = _is_outdated(trainer, work.folder)
            if outdated:
                log.info("%s: its trainer runs code of before an update, and is asked to save and leave", job_id)
                work.folder.pause_request.touch()  # a signal would end what it has just started, too
            gone = await self._watched(work, trainer)
            if outdated:
                work.folder.pause_request.unlink(missing_ok=True)
                gone = TrainerExit.outdated if gone is TrainerExit.without else gone
            if gone is TrainerExit.with_last_word:
                return
            before, phase = phase, work.folder.phase()
            if phase is not before and not await self._wished_away(work):
                continue
            if await self._aftermath.settles(work.job_id, work.folder, gone, trainer):
                return

    def _begin_vitals(self, job_id: str, *, goes_on: bool) -> HealthTracker:
        """Count the age of a job's last proof from now, or on from what an earlier agent's trainer left."""
        heartbeat = self._settings.job_folder(job_id).read_heartbeat() if goes_on else None
        age_s = max(0.0, self._clock() - heartbeat.alive_at) if heartbeat is not None else 0.0
        vitals = HealthTracker(self._timings.limits, now=self._monotonic(), proof_age_s=age_s)
        self._vitals = job_id, vitals
        return vitals

    async def _left_behind(self, work: Work) -> bool:
        """Say whether an earlier agent started a child, since the job was claimed, that came to life."""
        await self._wait_for_lock(work.folder)
        return work.folder.heartbeat.exists() and await self._store.run(running_jobs.was_spawned, work.job_id)

    async def _prepared(self, job_id: str) -> Work:
        """Make the job folder, unless it is there from before. Raises AgentError."""
        claim = await self._store.run(running_jobs.claim_of, job_id)
        folder = self._settings.job_folder(job_id)
        if not folder.spec.exists():
            machine = await asyncio.to_thread(self._machine)
            check_disk(claim.plan.plan, machine)
            check_gpu(claim.plan.plan, machine)
            source = self._model_source(claim.plan.plan.model)
            await asyncio.to_thread(folder.create, make_spec(claim, self._settings, machine, source))
        folder.pause_request.unlink(missing_ok=True)
        spec = folder.read_spec()
        if spec.base_model_location is None and folder.is_fetched():
            spec = with_source(spec, fetched_source(spec))
        elif spec.base_model_location is None:
            spec = with_source(spec, self._model_source(spec.base_model))
            await asyncio.to_thread(folder.write_spec, spec)
        return Work(job_id=job_id, number=claim.job.number, folder=folder, spec=spec)

    async def _trainer(self, work: Work) -> Trainer:
        """Take up the trainer that holds the lock, or start the child that is next."""
        if lock_is_held(work.folder.lock):
            return AdoptedTrainer(work.folder)
        work.folder.heartbeat.unlink(missing_ok=True)  # of an earlier trainer: it proves nothing of the next
        await self._store.run(running_jobs.spawning, work.job_id, boot=self._boot())
        self._aftermath.begins()
        phase = work.folder.phase()
        environment = await self._environment(work, phase)
        command = self._sandbox.wrap((*self._command, *FLAGS[phase]), policy_of(phase, work.folder, work.spec))
        return await asyncio.to_thread(start, command, work.folder, environment)

    async def _environment(self, work: Work, phase: Phase) -> dict[str, str]:
        """Return the child's whole environment, and make room for one that trains. Raises GpuLostError."""
        threads = work.spec.threads
        if phase is Phase.fetch and work.spec.base_model_kind == SourceKind.hub:
            token = self._settings.hf_token.get_secret_value() if self._settings.hf_token else None
            return trainer_environment(work.folder, threads=threads, hub_token=token, online=True)
        if phase is not Phase.train:
            return trainer_environment(work.folder, threads=threads)
        if self._make_way is not None:
            await self._make_way()
        gpu = gpu_of(await asyncio.to_thread(self._machine)) if work.spec.device == "cuda" else None
        if gpu is not None:
            await asyncio.to_thread(make_device_nodes)
        return trainer_environment(work.folder, threads=threads, gpu=gpu)

    async def _watched(self, work: Work, trainer: Trainer) -> TrainerExit:
        watch = TrainerWatch(
            work.job_id,
            work.folder,
            trainer,
            store=self._store,
            settings=self._settings,
            clock=self._clock,
            monotonic=self._monotonic,
            timings=self._timings,
            vitals=self._begin_vitals(work.job_id, goes_on=isinstance(trainer, AdoptedTrainer)),
        )
        return await watch.until_gone()

    async def _wished_away(self, work: Work) -> bool:
        look = await self._store.run(running_jobs.look, work.job_id)
        return look.cancel_requested or look.pause_wish is not None

    async def _wait_for_lock(self, folder: JobFolder) -> None:
        """Give a trainer that was started just before the old agent ended the time to take its lock."""
        deadline = self._monotonic() + self._timings.adoption_s
        while not lock_is_held(folder.lock) and self._monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(self._timings.poll_s)


def _is_outdated(trainer: Trainer, folder: JobFolder) -> bool:
    """Say whether a trainer that an earlier agent started runs other code than this one.

    It would import what it needs next from modules that were replaced beneath it.
    """
    if not isinstance(trainer, AdoptedTrainer) or not trainer.alive():
        return False
    heartbeat = folder.read_heartbeat()
    return heartbeat is not None and heartbeat.code != code_version()


def _phase_of(folder: JobFolder) -> Phase:
    """Return what the child did that left this heartbeat."""
    heartbeat = folder.read_heartbeat()
    if heartbeat is None or heartbeat.phase is None:  # of an older trainer, which did all in one after the fetch
        return Phase.fetch if heartbeat is not None and heartbeat.stage is Stage.fetch else Phase.train
    return heartbeat.phase


def _disk_is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
