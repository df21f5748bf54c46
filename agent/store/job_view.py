"""Turn a job's row into the job that clients see."""

from functools import lru_cache

from sqlalchemy.orm import Session

from agent.store import columns, files
from agent.store.requester import from_columns
from agent.store.tables import JobRow, PlanRow
from shared.hyperparameters import Method
from shared.jobs import Job, JobError, JobStatus, PauseReason, Progress, Stage
from shared.mapping import Mapping
from shared.plans import Plan, Preset
from shared.results import JobResult
from shared.schema import Response


class Labels(Response):
    """OpenAI's metadata, as stored."""

    labels: dict[str, str]


def to_job(session: Session, row: JobRow, *, estimated_start: int | None = None) -> Job:
    """Return the job as clients see it; whoever knows the queue says when a queued one will start."""
    plan = plan_of(session, row)
    progress = columns.read(Progress, row.progress, of=row.id)
    labels = columns.read(Labels, row.labels, of=row.id)
    return Job(
        id=row.id,
        created_at=row.created_at,
        finished_at=row.finished_at,
        estimated_finish=_estimated_finish(row, plan, progress, estimated_start),
        status=JobStatus(row.status),
        model=row.model,
        fine_tuned_model=row.fine_tuned_model,
        training_file=row.training_file,
        validation_file=row.validation_file,
        result_files=files.result_ids(session, row.id),
        trained_tokens=row.trained_tokens,
        seed=row.seed,
        method=columns.read(Method, row.method, of=row.id) or Method(),
        hyperparameters=_summary(plan),
        metadata=labels.labels if labels else None,
        error=columns.read(JobError, row.error, of=row.id),
        number=row.number,
        suffix=plan.suffix if plan else row.suffix or "",
        plan=row.plan_id,
        mapping=columns.read(Mapping, row.mapping, of=row.id),
        stage=Stage(row.stage) if row.stage else None,
        queue_position=row.queue_position,
        started_at=row.started_at,
        estimated_start=estimated_start,
        start_at=row.start_at,
        stage_detail=row.stage_detail,
        worker=row.worker,
        attempt=row.attempt,
        paused=PauseReason(row.paused_for) if row.paused_for else None,
        pausing=row.pause_wish is not None,
        preset=plan.preset if plan else Preset.balanced,
        settings=plan.settings if plan else None,
        requested_by=from_columns(row),
        progress=progress,
        result=columns.read(JobResult, row.result, of=row.id),
    )


def plan_of(session: Session, row: JobRow) -> Plan | None:
    """Return the job's plan, once it has one that can be read."""
    stored = session.get(PlanRow, row.plan_id) if row.plan_id else None
    return _parsed(stored.plan, stored.id) if stored else None


@lru_cache(maxsize=128)  # each look at the queue reads the plans of all that wait, and a plan never changes
def _parsed(plan: str, plan_id: str) -> Plan | None:
    return columns.read(Plan, plan, of=plan_id)


def _summary(plan: Plan | None) -> dict[str, str | int | float]:
    if plan is None:
        return {}
    settings = plan.settings
    return {
        "n_epochs": settings.n_epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
    }


def likely_minutes(plan: Plan | None) -> float:
    """Return what a job is counted with while it waits: the middle of its plan's range."""
    return (plan.minutes.low + plan.minutes.high) / 2 if plan else 0.0


def _estimated_finish(
    row: JobRow, plan: Plan | None, progress: Progress | None, estimated_start: int | None
) -> int | None:
    if estimated_start is not None:
        return estimated_start + round(likely_minutes(plan) * 60) if plan else None
    if row.status != JobStatus.running or row.started_at is None:
        return None
    if progress is not None and progress.eta_s is not None:
        return progress.updated_at + progress.eta_s
    return row.started_at + round(plan.minutes.high * 60) if plan else None
