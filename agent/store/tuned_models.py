"""Tuned models as those who ask them need them: which job made one, where its GGUF lies, what has the machine."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.errors import AgentError
from agent.scheduling.task import Training
from agent.store import columns, machine_state, plans, queued_jobs, workers
from agent.store.job_view import plan_of
from agent.store.tables import FileRow, JobRow
from shared.errors import ErrorCode
from shared.jobs import JobStatus, Progress, Stage
from shared.language import _


@dataclass(frozen=True, kw_only=True)
class TunedModel:
    """A model that a job made."""

    name: str  # with its version: toast:v1
    job_id: str
    number: int
    context_length: int  # tokens that its base model reads
    gguf: str | None  # relative to the data folder; None: the file was deleted


def find(session: Session, name: str) -> TunedModel:
    """Return the model of that name, without a version the newest; raise not_found."""
    made = [row for row in session.scalars(_named(name)) if row.fine_tuned_model is not None]
    row = max(made, key=lambda row: _version(str(row.fine_tuned_model)), default=None)
    if row is None or row.plan_id is None:
        model, _point, step = name.partition(":ckpt-step-")
        if step:
            raise AgentError(
                _(
                    "“{name}” is a checkpoint: a run can go on from it, and it answers nothing. Ask the finished "
                    "model, “{model}”.",
                    name=name[:60],
                    model=model[:60],
                ),
                code=ErrorCode.not_found,
                param="model",
            )
        raise AgentError(
            _("There is no tuned model “{name}”. /models lists those there are.", name=name[:60]),
            code=ErrorCode.not_found,
            param="model",
        )
    full_name = str(row.fine_tuned_model)
    gguf = sa.select(FileRow.path).where(
        FileRow.job_id == row.id, FileRow.filename == f"{full_name.partition(':')[0]}.gguf"
    )
    return TunedModel(
        name=full_name,
        job_id=row.id,
        number=row.number,
        context_length=plans.get(session, row.plan_id).card.context_length,
        gguf=session.scalars(gguf).first(),
    )


def training(session: Session, worker: str, *, now: float) -> Training | None:
    """Return the job that a worker has, or else the one that it is about to have; None when it is free."""
    row = workers.job_on(session, worker)
    if row is None:
        waits = None if machine_state.is_paused(session) else queued_jobs.next_job_id(session, now=now)
        row = session.scalars(sa.select(JobRow).where(JobRow.id == waits)).one() if waits else None
    if row is None:
        return None
    progress = columns.read(Progress, row.progress, of=row.id)
    return Training(
        number=row.number,
        waits=row.status != JobStatus.running,
        stage=Stage(row.stage) if row.stage else None,
        trained_at=progress.updated_at if progress else None,
        still_needs_mib=_still_needs_mib(session, row, progress),
    )


def _named(name: str) -> sa.Select[JobRow]:
    made = JobRow.fine_tuned_model
    if ":" in name:
        return sa.select(JobRow).where(made == name)
    return sa.select(JobRow).where(made >= f"{name}:v", made < f"{name}:w")  # as they are numbered: toast:v2


def _version(name: str) -> int:
    version = name.rpartition(":v")[2]
    return int(version) if version.isdecimal() else 0


def _still_needs_mib(session: Session, row: JobRow, progress: Progress | None) -> int:
    plan = plan_of(session, row)
    if plan is None or plan.memory_kind != "RAM":
        return 0
    used = progress.memory_mib if progress is not None and progress.memory_mib is not None else 0
    return max(0, round(plan.memory_mib.high) - used)
