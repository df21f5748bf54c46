"""The places that those in line were told."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.scheduling.worker import LOCAL
from agent.store import jobs, new_jobs, running_jobs
from agent.store.tables import Base, JobRow
from shared.jobs import JobRequest, PauseReason
from tests.agent.fake_inspector import MODEL
from tests.agent.store.planned import planned


def queued(session: Session, plan_id: str) -> str:
    job_id = new_jobs.create(session, JobRequest(model=MODEL, training_file="file-1"), now=1).job.id
    jobs.accept_plan(session, job_id, plan_id, now=1)
    return job_id


def test_those_behind_a_resumed_job_that_is_cancelled_move_up_at_once() -> None:
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        plan_id = planned(session)
        first, second = queued(session, plan_id), queued(session, plan_id)
        running_jobs.claim_next(session, worker=LOCAL, now=2)
        running_jobs.pause(session, first, PauseReason.asked, message="Paused", now=3)
        jobs.request_resume(session, first, now=4)
        jobs.request_cancel(session, first, now=5)  # it has begun, so it ends a moment later
        places = {row.id: row.queue_position for row in session.scalars(sa.select(JobRow))}
        assert places == {first: None, second: 1}
    engine.dispose()
