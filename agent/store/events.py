"""Events: appended once, numbered within the job and over the whole agent, read in pages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.errors import AgentError
from agent.store import columns
from agent.store.store import RING
from agent.store.tables import EventRow, JobRow
from shared.errors import ErrorCode
from shared.events import Event, EventData, EventRecord
from shared.jobs import Checkpoint, CheckpointMetrics
from shared.language import _

PAGE = 200


def append(session: Session, job_id: str, records: Iterable[EventRecord]) -> None:
    """Add events to a job, in order."""
    sequence = latest_sequence(session, job_id)
    for record in records:
        sequence += 1
        session.add(EventRow(job_id=job_id, sequence=sequence, kind=record.data.kind, record=record.model_dump_json()))
        session.flush()  # one by one: the cursor follows the order of the list
        session.info[RING] = True


def newest(session: Session, job_id: str, *, limit: int, after: str | None) -> tuple[list[Event], bool]:
    """Return a page of a job's events, newest first, and whether there are more; `after` is an event's id."""
    query = sa.select(EventRow).where(EventRow.job_id == job_id).order_by(EventRow.sequence.desc())
    if after is not None:
        query = query.where(EventRow.sequence < _sequence_of(session, job_id, after))
    rows = session.scalars(query.limit(limit + 1)).all()
    return _to_events(rows[:limit]), len(rows) > limit


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some events of a feed, oldest first, and the number up to which the feed was looked through for them."""

    events: list[Event]
    upto: int


def of_job(session: Session, job_id: str, *, after: int) -> Page:
    """Return the next page of a job's events behind sequence `after`."""
    query = sa.select(EventRow).where(EventRow.job_id == job_id, EventRow.sequence > after)
    rows = session.scalars(query.order_by(EventRow.sequence).limit(PAGE)).all()
    return Page(events=_to_events(rows), upto=rows[-1].sequence if rows else after)


def of_agent(session: Session, *, after: int, platforms: Collection[str] | None = None) -> Page:
    """Return the next page of everything behind cursor `after`; with `platforms`, of jobs asked for there alone."""
    query = sa.select(EventRow).where(EventRow.cursor > after)
    if platforms is None:
        rows = session.scalars(query.order_by(EventRow.cursor).limit(PAGE)).all()
        return Page(events=_to_events(rows), upto=rows[-1].cursor if rows else after)
    newest = latest_cursor(session)
    query = query.join(JobRow, JobRow.id == EventRow.job_id).where(JobRow.platform.in_(platforms))
    rows = session.scalars(query.order_by(EventRow.cursor).limit(PAGE)).all()
    return Page(events=_to_events(rows), upto=rows[-1].cursor if len(rows) == PAGE else max(after, newest))


def latest_cursor(session: Session) -> int:
    """Return the newest cursor; 0 before the first event."""
    return session.scalar(sa.select(sa.func.max(EventRow.cursor))) or 0


def latest_sequence(session: Session, job_id: str) -> int:
    """Return the newest sequence of a job; 0 before its first event."""
    return session.scalar(sa.select(sa.func.max(EventRow.sequence)).where(EventRow.job_id == job_id)) or 0


def records_of(session: Session, job_id: str, *kinds: str) -> list[EventRecord]:
    """Return a job's events of these kinds, oldest first."""
    found = (columns.read(EventRecord, text, of=job_id) for text in texts_of(session, job_id, *kinds))
    return [record for record in found if record is not None]


def texts_of(session: Session, job_id: str, *kinds: str) -> list[str]:
    """Return a job's events of these kinds as stored, oldest first: for who reads many, outside the store's thread."""
    query = sa.select(EventRow.record).where(EventRow.job_id == job_id, EventRow.kind.in_(kinds))
    return list(session.scalars(query.order_by(EventRow.sequence)))


def data_of(session: Session, job_id: str, kind: str) -> list[EventData]:
    """Return the data of a job's events of one kind, oldest first."""
    return [record.data for record in records_of(session, job_id, kind)]


def checkpoints(session: Session, job_id: str, *, ollama_name: str | None) -> list[Checkpoint]:
    """Return a job's checkpoints, newest first; each named for its step."""
    found: list[Checkpoint] = []
    for record in records_of(session, job_id, "checkpoint", "stage"):
        if record.data.kind == "stage" and record.data.starts_over:
            found.clear()  # they are gone
        if record.data.kind != "checkpoint":
            continue
        found.append(
            Checkpoint(
                id=f"ftckpt-{_bare(job_id)}-{record.data.step}",
                created_at=int(record.created_at),
                fine_tuning_job_id=job_id,
                fine_tuned_model_checkpoint=f"{ollama_name or job_id}:ckpt-step-{record.data.step}",
                step_number=record.data.step,
                metrics=CheckpointMetrics(
                    step=record.data.step, train_loss=record.data.train_loss, valid_loss=record.data.valid_loss
                ),
            )
        )
    return found[::-1]


def _sequence_of(session: Session, job_id: str, event_id: str) -> int:
    number = event_id.rpartition("-")[2]
    known = number.isascii() and number.isdigit() and len(number) <= 12 and event_id == _event_id(job_id, int(number))
    if not known or int(number) > latest_sequence(session, job_id):
        raise AgentError(
            _("The job has no event {event_id!r}.", event_id=event_id), code=ErrorCode.not_found, param="after"
        )
    return int(number)


def _bare(job_id: str) -> str:
    return job_id.removeprefix("ftjob-")


def _event_id(job_id: str, sequence: int) -> str:
    return f"ftevent-{_bare(job_id)}-{sequence}"


def _to_events(rows: Iterable[EventRow]) -> list[Event]:
    """Return events as clients see them, without those that cannot be read."""
    return [event for event in map(_to_event, rows) if event is not None]


def _to_event(row: EventRow) -> Event | None:
    record = columns.read(EventRecord, row.record, of=_event_id(row.job_id, row.sequence))
    if record is None:
        return None
    return Event(
        **{name: getattr(record, name) for name in EventRecord.model_fields},
        id=_event_id(row.job_id, row.sequence),
        job_id=row.job_id,
        sequence=row.sequence,
        cursor=row.cursor,
    )
