"""Jobs: listed and moved. `move` is the only way from one status to another."""

from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.errors import AgentError
from agent.store import events, queued_jobs
from agent.store.job_view import to_job
from agent.store.status_names import STATUS_WORDS
from agent.store.tables import FileRow, JobRow
from shared.errors import ErrorCode
from shared.events import EventRecord, StateData
from shared.jobs import FINISHED, MOVES, UNFINISHED, Checkpoint, Job, JobError, JobStatus, PauseReason
from shared.language import N_, _
from shared.models import Model

Level = Literal["info", "warn", "error"]


def get(session: Session, key: str, *, now: float) -> Job:
    """Return one job by its id or its number; raise not_found."""
    return shown(session, [row_of(session, key)], now)[0]


def listing(session: Session, *, limit: int, after: str | None, now: float) -> tuple[list[Job], bool]:
    """Return a page of jobs, newest first, and whether there are more."""
    query = sa.select(JobRow).order_by(JobRow.number.desc())
    if after is not None:
        query = query.where(JobRow.number < row_of(session, after).number)
    rows = session.scalars(query.limit(limit + 1)).all()
    return shown(session, rows[:limit], now), len(rows) > limit


def is_finished(session: Session, job_id: str) -> bool:
    """Say whether the job has ended: no event comes after that."""
    return row_of(session, job_id).status in FINISHED


def checkpoints(session: Session, key: str, *, limit: int, after: str | None) -> tuple[list[Checkpoint], bool]:
    """Return a page of a job's checkpoints, newest first, and whether there are more."""
    row = row_of(session, key)
    found = events.checkpoints(session, row.id, ollama_name=row.ollama_name)
    if after is not None:
        ids = [checkpoint.id for checkpoint in found]
        if after not in ids:
            raise AgentError(
                _("The job has no checkpoint {after!r}.", after=after), code=ErrorCode.not_found, param="after"
            )
        found = found[ids.index(after) + 1 :]
    return found[:limit], len(found) > limit


def with_status(session: Session, status: JobStatus) -> list[Job]:
    """Return all jobs in one status, oldest first; the queued ones without their estimates."""
    rows = session.scalars(sa.select(JobRow).where(JobRow.status == status).order_by(JobRow.number))
    return [to_job(session, row) for row in rows]


def language(session: Session, job_id: str) -> str | None:
    """Return the language of whoever asked for a job."""
    return session.scalar(sa.select(JobRow.language).where(JobRow.id == job_id))


def ended(session: Session) -> dict[str, int]:
    """Return when each ended job that was started ended, in seconds since 1970."""
    query = sa.select(JobRow.id, JobRow.finished_at).where(JobRow.status.in_(FINISHED), JobRow.started_at.is_not(None))
    return {job_id: finished_at for job_id, finished_at in session.execute(query) if finished_at is not None}


def models_in_use(session: Session) -> set[str]:
    """Return the base models that unfinished jobs need."""
    return set(session.scalars(sa.select(JobRow.model).where(JobRow.status.in_(UNFINISHED)).distinct()))


def tuned(session: Session) -> list[Model]:
    """Return the models that jobs made and that can be asked, newest first: not those whose file was deleted."""
    is_here = sa.exists().where(FileRow.job_id == JobRow.id, FileRow.filename.endswith(".gguf"))
    query = (
        sa.select(JobRow.fine_tuned_model, JobRow.finished_at, JobRow.created_at, JobRow.model, JobRow.id)
        .where(JobRow.fine_tuned_model.is_not(None), is_here)
        .order_by(JobRow.number.desc())
    )
    return [
        Model(id=name, created=finished or created, owned_by="hearth", kind="tuned", base=base, job_id=job_id)
        for name, finished, created, base, job_id in session.execute(query)
    ]


def move(
    session: Session,
    job_id: str,
    to: JobStatus,
    *,
    now: float,
    message: str,
    error: JobError | None = None,
    record: EventRecord | None = None,
) -> Job:
    """Move a job along `MOVES` and write the event that says so: `record`, or one made here.

    Raise job_finished for a job that has ended, ValueError for any other move the table does not allow.
    """
    row = row_of(session, job_id)
    status = JobStatus(row.status)
    if status in FINISHED:
        raise finished_error(row)
    if to not in MOVES[status]:
        raise ValueError(f"job {row.id} cannot move from {status} to {to}")
    row.status = to
    row.error = error.model_dump_json() if error else None
    if to is not JobStatus.queued:
        row.queue_position = None
    if to is JobStatus.running and row.started_at is None:
        row.started_at = int(now)
    if to is not JobStatus.running:
        row.pause_wish = row.stage_detail = None
    if to is not JobStatus.paused:
        row.paused_for = None
    if to in FINISHED:
        row.finished_at = int(now)
        row.stage = None
    events.append(session, row.id, [record or state_record(to, message, now, error)])
    queued_jobs.announce(session, now=now)
    return shown(session, [row], now)[0]


def accept_plan(session: Session, job_id: str, plan_id: str, *, now: float) -> None:
    """Queue a validated job, unless it was cancelled meanwhile."""
    row = row_of(session, job_id)
    if row.status == JobStatus.validating_files:
        row.plan_id = plan_id
        move(session, job_id, JobStatus.queued, now=now, message=_("The file is valid; the job is queued"))


def fail(session: Session, job_id: str, error: JobError, *, now: float) -> None:
    """End a job as failed, unless it has ended already."""
    if row_of(session, job_id).status not in FINISHED:
        move(session, job_id, JobStatus.failed, now=now, message=error.message, error=error)


def request_cancel(session: Session, key: str, *, now: float) -> Job:
    """Cancel a job that does not run; note the wish for one that has begun. Raise job_finished."""
    row = _unfinished(session, key)
    if row.started_at is None:
        return move(session, row.id, JobStatus.cancelled, now=now, message=_("Cancelled before it started"))
    if not row.cancel_requested:
        row.cancel_requested = True
        row.queue_position = None  # of one that was resumed and waits
        say(session, row, _("Cancelling: what was trained so far is kept"), now=now)
        queued_jobs.announce(session, now=now)
    return shown(session, [row], now)[0]


def request_pause(session: Session, key: str, *, now: float, reason: PauseReason = PauseReason.asked) -> Job:
    """Note that a running job shall give the machine back. Raise job_finished, job_not_running."""
    row = _unfinished(session, key)
    if row.status == JobStatus.paused:
        raise AgentError(
            _("Job #{number} is paused already. Resume it to go on.", number=row.number), code=ErrorCode.job_not_running
        )
    if row.status != JobStatus.running:
        raise AgentError(
            _(
                "Job #{number} does not run yet: it is {status}. Only a running job can be paused; a "
                "waiting one can be cancelled.",
                number=row.number,
                status=_(STATUS_WORDS[row.status]),
            ),
            code=ErrorCode.job_not_running,
        )
    if row.pause_wish is None and not row.cancel_requested:
        row.pause_wish = reason
        say(session, row, _("Pausing: the memory will be free within half a minute"), now=now)
    return shown(session, [row], now)[0]


def request_resume(session: Session, key: str, *, now: float) -> Job:
    """Put a paused job back in line, before all that were created after it. Raise job_finished, job_not_paused."""
    row = _unfinished(session, key)
    if row.status != JobStatus.paused or row.cancel_requested:
        still = (
            _("being cancelled")
            if row.cancel_requested
            else _("still being paused")
            if row.pause_wish
            else _(STATUS_WORDS[row.status])
        )
        raise AgentError(
            _(
                "Job #{number} is not paused: it is {still}. Only a paused job can be resumed.",
                number=row.number,
                still=still,
            ),
            code=ErrorCode.job_not_paused,
        )
    return move(session, row.id, JobStatus.queued, now=now, message=_("Resumed: it goes on when its turn comes"))


def say(session: Session, row: JobRow, message: str, *, now: float, level: Level = "info") -> None:
    """Write an event about a job that stays where it is."""
    record = state_record(JobStatus(row.status), message, now).model_copy(update={"level": level})
    events.append(session, row.id, [record])


def _unfinished(session: Session, key: str) -> JobRow:
    row = row_of(session, key)
    if row.status in FINISHED:
        raise finished_error(row)
    return row


def finished_error(row: JobRow) -> AgentError:
    """Return the refusal to change a job that has ended."""
    return AgentError(
        _("Job #{number} has ended already: it {ended}.", number=row.number, ended=_(_ENDED[row.status])),
        code=ErrorCode.job_finished,
    )


def row_of(session: Session, key: str) -> JobRow:
    """Return the row of a job by its id or its number; raise not_found."""
    by_number = key.isascii() and key.isdigit() and len(key) < 10
    row = session.scalars(sa.select(JobRow).where(JobRow.number == int(key) if by_number else JobRow.id == key)).first()
    if row is None:
        name = f"#{key}" if by_number else repr(key)
        raise AgentError(
            _("There is no job {name}. The list of jobs shows those there are.", name=name), code=ErrorCode.not_found
        )
    return row


_ENDED: dict[str, str] = {
    JobStatus.succeeded: N_("succeeded"),
    JobStatus.failed: N_("failed"),
    JobStatus.cancelled: N_("was cancelled"),
}


def shown(session: Session, rows: Sequence[JobRow], now: float) -> list[Job]:
    """Return jobs as they are shown: those in line with their estimated starts."""
    starts = queued_jobs.starts(session, now=now) if any(row.status == JobStatus.queued for row in rows) else {}
    return [to_job(session, row, estimated_start=starts.get(row.id)) for row in rows]


def state_record(status: JobStatus, message: str, now: float, error: JobError | None = None) -> EventRecord:
    """Return the event of a job that is in `status` now."""
    return EventRecord(
        created_at=now,
        level="error" if status is JobStatus.failed else "info",
        message=message,
        data=StateData(status=status, error=error),
    )
