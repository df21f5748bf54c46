"""Where jobs train: which workers there are, and which job each of them has."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.scheduling.worker import LOCAL, Worker
from agent.store.job_view import to_job
from agent.store.tables import JobRow, WorkerRow
from shared.jobs import Job, JobStatus


def register(session: Session, worker: Worker) -> None:
    """Note that a worker is there, and what it has."""
    session.merge(WorkerRow(name=worker.name, device=worker.device, memory_mib=worker.memory_mib))


def known(session: Session) -> list[Worker]:
    """Return all workers, by name. The agent's own machine is one, also before it has said what it has."""
    rows = session.scalars(sa.select(WorkerRow).order_by(WorkerRow.name))
    found = [Worker(name=row.name, device=row.device, memory_mib=row.memory_mib) for row in rows]
    return found or [Worker(name=LOCAL, device="", memory_mib=0)]


def job_on(session: Session, worker: str) -> JobRow | None:
    """Return the job that a worker has."""
    has = sa.and_(JobRow.status == JobStatus.running, JobRow.worker == worker)
    return session.scalars(sa.select(JobRow).where(has).limit(1)).first()


def occupied(session: Session) -> dict[str, JobRow]:
    """Return the job of each worker that has one."""
    rows = session.scalars(sa.select(JobRow).where(JobRow.status == JobStatus.running).order_by(JobRow.number))
    return {row.worker: row for row in rows if row.worker is not None}


def jobs_on(session: Session, worker: str) -> list[Job]:
    """Return the jobs that run on a worker, oldest first: after a restart, what an earlier agent left."""
    has = sa.and_(JobRow.status == JobStatus.running, JobRow.worker == worker)
    return [to_job(session, row) for row in session.scalars(sa.select(JobRow).where(has).order_by(JobRow.number))]
