"""What goes of the events of jobs that ended. Each function is one short transaction: others wait for this thread.

States, stages, evaluations, advice, samples, checkpoints and artifacts stay. Places in the queue go, and of the
progress what `agent.diagnosis.curve_thinning` does not choose. Readers ask for what is behind a number, so a gap
stops none.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.diagnosis.curve_thinning import FEW
from agent.store.tables import EventRow, JobRow
from shared.jobs import FINISHED

AT_ONCE = 500  # rows that one transaction reads or deletes


def ended_before(session: Session, moment: float) -> list[str]:
    """Return the jobs that had ended by then, oldest first."""
    query = sa.select(JobRow.id).where(JobRow.status.in_(FINISHED), JobRow.finished_at < moment)
    return list(session.scalars(query.order_by(JobRow.number)))


def has_too_many(session: Session, job_id: str) -> bool:
    """Say whether a job has more progress events than may be kept of one that ended."""
    return session.scalar(_of(job_id, "progress").offset(FEW).limit(1)) is not None


def progress(session: Session, job_id: str, *, behind: int, stop: int) -> list[tuple[int, str]]:
    """Return the sequence and text of the next progress events of a job, up to `stop`; at most AT_ONCE."""
    query = sa.select(EventRow.sequence, EventRow.record).where(
        EventRow.job_id == job_id,
        EventRow.kind == "progress",
        EventRow.sequence > behind,
        EventRow.sequence < stop,
    )
    return [(sequence, text) for sequence, text in session.execute(query.order_by(EventRow.sequence).limit(AT_ONCE))]


def queue_sequences(session: Session, job_id: str) -> list[int]:
    """Return where a job was told its place in the queue; at most AT_ONCE."""
    return list(session.scalars(_of(job_id, "queue").limit(AT_ONCE)))


def forget(session: Session, job_id: str, sequences: Collection[int]) -> None:
    """Remove events of a job; at most AT_ONCE."""
    session.execute(sa.delete(EventRow).where(EventRow.job_id == job_id, EventRow.sequence.in_(sequences)))


def _of(job_id: str, kind: str) -> "sa.Select[int]":
    return sa.select(EventRow.sequence).where(EventRow.job_id == job_id, EventRow.kind == kind)
