"""The queue as the store has it: who waits, what the running ones still need, who must hear of a new place."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.scheduling import queue
from agent.store import events, workers
from agent.store.job_view import likely_minutes, plan_of, to_job
from agent.store.tables import AgentRow, JobRow
from shared.events import EventRecord, QueueData
from shared.jobs import JobStatus
from shared.language import _, speaking


def next_job_id(session: Session, *, now: float) -> str | None:
    """Return the job that a free worker runs now: none while an earlier one is still validated."""
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
    occupied = workers.occupied(session)
    all_busy = all(worker.name in occupied for worker in workers.known(session))
    return place.position + (1 if all_busy else 0), place.wait_minutes


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


def _busy_minutes(session: Session, now: float) -> list[float]:
    """Return what the job of each worker still needs."""
    occupied = workers.occupied(session)
    return [_left_minutes(session, occupied.get(worker.name), now) for worker in workers.known(session)]


def _left_minutes(session: Session, row: JobRow | None, now: float) -> float:
    finish = to_job(session, row).estimated_finish if row is not None else None
    return max(0.0, finish - now) / 60 if finish is not None else 0.0
