"""What the agent remembers of itself: whether the whole machine is paused."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.store import jobs
from agent.store.store import RING
from agent.store.tables import AgentRow, JobRow
from shared.jobs import JobStatus, PauseReason

ONLY = 1


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
    waits = sa.and_(JobRow.status == JobStatus.paused, JobRow.paused_for == PauseReason.agent)
    for job_id in _ids(session, sa.and_(waits, JobRow.cancel_requested.is_(False))):
        jobs.request_resume(session, job_id, now=now)


def _set(session: Session, *, paused: bool) -> None:
    session.merge(AgentRow(id=ONLY, paused=paused))
    session.info[RING] = True


def _ids(session: Session, where: sa.ColumnElement[bool]) -> list[str]:
    return list(session.scalars(sa.select(JobRow.id).where(where).order_by(JobRow.number)))
