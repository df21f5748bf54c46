"""What the agent remembers of itself: whether the whole machine is paused."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.scheduling.worker import Worker
from agent.store import events, jobs, workers
from agent.store.store import RING
from agent.store.tables import AgentRow, JobRow
from shared.jobs import JobStatus, PauseReason

ONLY = 1


@dataclass(frozen=True, kw_only=True)
class MachineState:
    """What the machine does, at one moment."""

    workers: list[Worker]
    running: dict[str, str]  # by worker, the id of the job that it has
    queued_jobs: int
    feed_cursor: int
    paused: bool


def state(session: Session) -> MachineState:
    """Return what runs and waits, in one transaction."""
    queued = sa.select(sa.func.count()).select_from(JobRow).where(JobRow.status == JobStatus.queued)
    return MachineState(
        workers=workers.known(session),
        running={name: row.id for name, row in workers.occupied(session).items()},
        queued_jobs=session.scalar(queued) or 0,
        feed_cursor=events.latest_cursor(session),
        paused=is_paused(session),
    )


def is_paused(session: Session) -> bool:
    """Say whether nothing may start."""
    row = session.get(AgentRow, ONLY)
    return row is not None and row.paused


def pause(session: Session, *, now: float) -> None:
    """Let nothing start any more, and ask the running job for the machine."""
    _set(session, paused=True)
    for job_id in _ids(session, JobRow.status == JobStatus.running):
        jobs.request_pause(session, job_id, now=now, reason=PauseReason.agent)


def resume(session: Session, *, now: float) -> None:
    """Let jobs start again; those that stand still because of the pause go back in line."""
    _set(session, paused=False)
    reasons = (PauseReason.agent, PauseReason.gpu)
    waits = sa.and_(JobRow.status == JobStatus.paused, JobRow.paused_for.in_(reasons))
    for job_id in _ids(session, sa.and_(waits, JobRow.cancel_requested.is_(False))):
        jobs.request_resume(session, job_id, now=now)


def _set(session: Session, *, paused: bool) -> None:
    session.merge(AgentRow(id=ONLY, paused=paused))
    session.info[RING] = True


def _ids(session: Session, where: sa.ColumnElement[bool]) -> list[str]:
    return list(session.scalars(sa.select(JobRow.id).where(where).order_by(JobRow.number)))
