"""The queue as the store has it: who waits, what the running job still needs, who must hear of a new place."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.scheduling import queue
from agent.store import events
from agent.store.job_view import likely_minutes, plan_of, to_job
from agent.store.tables import AgentRow, JobRow
from shared.events import EventRecord, QueueData
from shared.jobs import JobStatus
from shared.language import _, speaking


def next_job_id(session: Session, *, now: float) -> str | None:
    """Return the job to run now: none while one has the machine, or while an earlier one is still validated."""
    if _running(session) is not None:
        return None
    chosen = queue.next_job(_waiting(session), validating=_validating(session), now=now)
    return chosen.job_id if chosen else None


def held_s(session: Session, *, now: float) -> float | None:
    """Return for how long the next job is held for an earlier one that is still validated; None: it is not."""
    return queue.held_s(_waiting(session), validating=_validating(session), now=now)


def starts(session: Session, *, now: float) -> dict[str, int]:
    """Return when each queued job is expected to start, in seconds since 1970; none on a machine that is paused."""
    if _is_paused(session):
        return {}
    places = queue.places(_waiting(session), busy_minutes=_busy_minutes(session, now), now=now)
    return {place.job_id: round(now + place.wait_minutes * 60) for place in places}


def outlook(session: Session, *, now: float) -> tuple[int, float]:
    """Return the place a job made now would get (1 runs at once) and the minutes it would wait."""
    place = queue.place_of_new(_waiting(session), busy_minutes=_busy_minutes(session, now), now=now)
    return place.position + (1 if _running(session) else 0), place.wait_minutes


def announce(session: Session, *, now: float) -> None:
    """Tell every queued job whose place has changed."""
    for place in queue.places(_waiting(session), busy_minutes=_busy_minutes(session, now), now=now):
        row = session.scalars(sa.select(JobRow).where(JobRow.id == place.job_id)).one()
        if row.queue_position == place.position:
            continue
        row.queue_position = place.position
        data = QueueData(position=place.position, wait_s=round(place.wait_minutes * 60))
        with speaking(row.language):
            place_said = _("Number {position} in the queue", position=place.position)
            message = _("Next in the queue") if place.position == 1 else place_said
        events.append(session, row.id, [EventRecord(created_at=now, message=message, data=data)])


def _waiting(session: Session) -> list[queue.Waiting]:
    waits = sa.and_(JobRow.status == JobStatus.queued, JobRow.cancel_requested.is_(False))
    rows = session.scalars(sa.select(JobRow).where(waits))
    return [
        queue.Waiting(
            job_id=row.id, number=row.number, minutes=likely_minutes(plan_of(session, row)), start_at=row.start_at
        )
        for row in rows
    ]


def _validating(session: Session) -> list[queue.Validating]:
    rows = session.scalars(sa.select(JobRow).where(JobRow.status == JobStatus.validating_files))
    return [queue.Validating(number=row.number, since=row.created_at) for row in rows]


def _is_paused(session: Session) -> bool:
    return bool(session.scalar(sa.select(AgentRow.paused).limit(1)))


def _running(session: Session) -> JobRow | None:
    return session.scalars(sa.select(JobRow).where(JobRow.status == JobStatus.running).limit(1)).first()


def _busy_minutes(session: Session, now: float) -> float:
    row = _running(session)
    finish = to_job(session, row).estimated_finish if row else None
    return max(0.0, finish - now) / 60 if finish is not None else 0.0
