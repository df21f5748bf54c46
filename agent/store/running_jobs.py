"""A running job as its supervisor sees it: claimed, tailed, ended. Each function is one transaction."""

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.adapting.revision import Adapted
from agent.errors import AgentError
from agent.scheduling.attempts import AttemptProgress, next_attempt
from agent.store import columns, events, files, jobs, machine_state, plans, queued_jobs, workers
from agent.store.files import StoredFile
from agent.store.job_view import plan_of, to_job
from agent.store.plans import StoredPlan
from agent.store.tables import JobRow
from agent.store.vitals import take_in
from shared.events import (
    ArtifactData,
    EventRecord,
    StageData,
    StateData,
)
from shared.jobs import FINISHED, Job, JobError, JobStatus, PauseReason, Progress, Stage
from shared.language import _, ngettext
from shared.results import JobResult

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that is ours to run, with all that its spec needs."""

    job: Job
    ollama_name: str
    plan: StoredPlan
    dataset: StoredFile
    validation: StoredFile | None = None  # where what is held out has a file of its own


@dataclass(frozen=True, kw_only=True)
class JobWishes:
    """Where a job stands between two turns of its supervisor."""

    tail_offset: int  # bytes of events.jsonl that are in the store
    finished: bool
    cancel_requested: bool
    pause_wish: PauseReason | None
    paused: bool  # the trainer itself had to give up for now
    stage: Stage | None


@dataclass(frozen=True, kw_only=True)
class Occupant:
    """The job of a worker, and what its trainer says that it holds of the GPU; 0: nothing, or it trains in RAM."""

    id: str
    gpu_mib: int


LAST_WORDS = FINISHED | {JobStatus.paused}
WITH_MODEL = {Stage.train, Stage.evaluate}  # stages in which a trainer holds what it last reported; the next start anew


def occupant(session: Session, worker: str) -> Occupant | None:
    """Return the job that a worker has, and the GPU memory of its trainer."""
    row = workers.job_on(session, worker)
    if row is None:
        return None
    plan = plan_of(session, row)
    progress = columns.read(Progress, row.progress, of=row.id)
    on_gpu = plan is not None and plan.memory_kind == "GPU" and row.stage in WITH_MODEL
    return Occupant(id=row.id, gpu_mib=(progress.memory_mib or 0) if progress is not None and on_gpu else 0)


def claim_next(session: Session, *, worker: str, now: float) -> Claim | None:
    """Give a worker the next queued job.

    None when nobody waits, the next is held, the worker has a job, or all is paused. One that cannot be claimed fails
    alone, and the next has its turn.
    """
    if workers.job_on(session, worker) is not None:
        return None
    while (
        job_id := None if machine_state.is_paused(session) else queued_jobs.next_job_id(session, now=now)
    ) is not None:
        try:
            with session.begin_nested():
                return _claim(session, job_id, worker=worker, now=now)
        except AgentError as problem:
            log.error("%s cannot be run: %s", job_id, problem)  # noqa: TRY400 -- a stored row, and no fault of this code
            jobs.fail(session, job_id, JobError(code=problem.code, message=problem.message), now=now)
    return None


def _claim(session: Session, job_id: str, *, worker: str, now: float) -> Claim:
    row = jobs.row_of(session, job_id)
    assert row.plan_id is not None  # only a planned job is ever queued
    row.ollama_name = row.ollama_name or _next_name(session, plans.get(session, row.plan_id).plan.suffix)
    row.worker = worker
    row.boot = None  # no trainer was started in this turn
    message = _("Fine-tuning job started") if row.started_at is None else _("Going on where it was paused")
    jobs.move(session, job_id, JobStatus.running, now=now, message=message)
    return claim_of(session, job_id)


def claim_of(session: Session, job_id: str) -> Claim:
    """Return what a job that was moved to running needs to be started."""
    row = jobs.row_of(session, job_id)
    assert row.plan_id is not None
    assert row.ollama_name is not None
    return Claim(
        job=to_job(session, row),
        ollama_name=row.ollama_name,
        plan=plans.get(session, row.plan_id),
        dataset=files.get(session, row.training_file),
        validation=files.get(session, row.validation_file) if row.validation_file else None,
    )


def look(session: Session, job_id: str) -> JobWishes:
    """Read what the supervisor needs to know at every turn."""
    return _look(jobs.row_of(session, job_id))


def spawning(session: Session, job_id: str, *, boot: str) -> None:
    """Note in which run of the system a trainer is about to be started."""
    jobs.row_of(session, job_id).boot = boot


@dataclass(frozen=True, kw_only=True)
class Death:
    """What follows a trainer's death."""

    following: int | None  # the number of the next attempt; None: there is none
    rebooted: bool  # the whole machine was off meanwhile


def was_spawned(session: Session, job_id: str) -> bool:
    """Say whether a trainer of the job was about to be started since it was claimed."""
    return jobs.row_of(session, job_id).boot is not None


def count_death(session: Session, job_id: str, reached: AttemptProgress, *, boot: str) -> Death:
    """Count a trainer that died, and say what follows."""
    row = jobs.row_of(session, job_id)
    before = None
    if row.died_stages is not None and row.died_step is not None:
        before = AttemptProgress(stages=row.died_stages, step=row.died_step)
    rebooted = row.boot is not None and row.boot != boot
    following = next_attempt(attempt=row.attempt, at_last_death=before, now=reached, rebooted=rebooted)
    if following is not None:
        row.attempt = following
        row.died_stages, row.died_step = reached.stages, reached.step
    return Death(following=following, rebooted=rebooted)


def say(session: Session, job_id: str, message: str, *, now: float, level: jobs.Level = "info") -> None:
    """Tell whoever follows the job what its supervisor does."""
    jobs.say(session, jobs.row_of(session, job_id), message, now=now, level=level)


def adapt(
    session: Session, job_id: str, stage: Stage, adapted: Adapted, packed: ArtifactData | None, *, now: float
) -> None:
    """Write that a job without a trainer goes on by other settings."""
    row = jobs.row_of(session, job_id)
    data = StageData(stage=stage, done=False, detail=adapted.detail, starts_over=adapted.starts_over)
    events.append(session, job_id, [EventRecord(created_at=now, level="warn", message=adapted.message, data=data)])
    take_in(row, data, at=int(now))
    if packed is not None:
        handed_out = _("{name} is ready.", name=packed.name)
        events.append(session, job_id, [EventRecord(created_at=now, message=handed_out, data=packed)])


def pause(session: Session, job_id: str, reason: PauseReason, *, message: str, now: float) -> None:
    """Move a running job whose trainer is gone to paused."""
    jobs.move(session, job_id, JobStatus.paused, now=now, message=message)
    row = jobs.row_of(session, job_id)
    row.paused_for = reason
    if reason is PauseReason.agent and not machine_state.is_paused(session) and not row.cancel_requested:
        jobs.request_resume(session, job_id, now=now)  # the machine was resumed while the trainer was still leaving


def pause_without_gpu(session: Session, job_id: str, *, message: str, now: float) -> None:
    """Pause a running job and the whole machine: without its GPU, the jobs behind it would fare no better."""
    pause(session, job_id, PauseReason.gpu, message=message, now=now)
    machine_state.pause(session, now=now)


def to_wind_up(session: Session) -> list[str]:
    """Return the jobs that were cancelled after they had begun, and have no trainer now."""
    idle = JobRow.status.in_((JobStatus.paused, JobStatus.queued))
    query = sa.select(JobRow.id).where(idle, JobRow.cancel_requested.is_(True))
    return list(session.scalars(query.order_by(JobRow.number)))


def checkpoints_kept(session: Session, job_id: str) -> str:
    """Say in a sentence what can be resumed from."""
    kept = events.checkpoints(session, job_id, ollama_name=None)
    if not kept:
        return _("It had no checkpoint yet.")
    return ngettext(
        "Kept: {n} checkpoint, the newest at step {step}.",
        "Kept: {n} checkpoints, the newest at step {step}.",
        len(kept),
        step=kept[0].step_number,
    )


def take_events(
    session: Session, job_id: str, records: list[EventRecord], *, offset: int, folder: Path, data_dir: Path, now: float
) -> JobWishes:
    """Store what the trainer wrote up to byte `offset`, and what it means for the job."""
    row = jobs.row_of(session, job_id)
    for record in records:
        if row.status in LAST_WORDS:
            break
        last_word = record.data if isinstance(record.data, StateData) and record.data.status in LAST_WORDS else None
        if last_word is None:
            events.append(session, job_id, [record])
            take_in(row, record.data, at=int(record.created_at))
            continue
        if last_word.status is JobStatus.paused:
            jobs.move(session, job_id, JobStatus.paused, now=now, message=record.message, record=record)
            row.paused_for = PauseReason.disk  # the one thing for which a trainer gives up for now
            continue
        row.result = last_word.result.model_dump_json() if last_word.result else None
        _keep(session, row, last_word.result, folder=folder, data_dir=data_dir, now=int(now))
        jobs.move(
            session, job_id, last_word.status, now=now, message=record.message, error=last_word.error, record=record
        )
    row.tail_offset = offset
    return _look(row)


def end(
    session: Session,
    job_id: str,
    to: JobStatus,
    *,
    message: str,
    error: JobError | None,
    adapter: EventRecord | None,
    folder: Path,
    data_dir: Path,
    now: float,
) -> None:
    """End a job whose trainer had no last word; what it left is kept; `adapter` hands out what was packed."""
    row = jobs.row_of(session, job_id)
    if row.status not in FINISHED:
        if adapter is not None:
            events.append(session, job_id, [adapter])
        _keep(session, row, None, folder=folder, data_dir=data_dir, now=int(now))
        jobs.move(session, job_id, to, now=now, message=message, error=error)


def _look(row: JobRow) -> JobWishes:
    return JobWishes(
        tail_offset=row.tail_offset,
        finished=row.status in FINISHED,
        cancel_requested=row.cancel_requested,
        pause_wish=PauseReason(row.pause_wish) if row.pause_wish else None,
        paused=row.status == JobStatus.paused,
        stage=Stage(row.stage) if row.stage else None,
    )


def _next_name(session: Session, suffix: str) -> str:
    name = JobRow.ollama_name  # also of jobs that are paused, or failed: each name is given once
    made = sa.select(name).where(name >= f"{suffix}:v", name < f"{suffix}:w")  # a range, unlike LIKE, has an index
    versions = [int(str(name).rpartition(":v")[2]) for name in session.scalars(made)]
    return f"{suffix}:v{max(versions, default=0) + 1}"


def _keep(session: Session, row: JobRow, result: JobResult | None, *, folder: Path, data_dir: Path, now: int) -> None:
    if result is not None:
        row.fine_tuned_model = result.ollama_name
        row.trained_tokens = result.trained_tokens
    newest = {data.path: data for data in events.data_of(session, row.id, "artifact") if data.kind == "artifact"}
    for data in newest.values():
        relative = PurePosixPath(data.path)
        if relative.is_absolute() or ".." in relative.parts or not (folder / relative).is_file():
            continue  # announced, but not there: never offer what cannot be downloaded
        path = (folder / relative).relative_to(data_dir).as_posix()
        files.add_result(session, job=row, filename=data.name, size=data.bytes, sha256=data.sha256, path=path, now=now)
