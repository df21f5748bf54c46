"""What holds of the job table at every moment, said without the rules by which the code moves jobs."""

from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.store import machine_state
from agent.store.tables import EventRow, JobRow
from shared.events import EventRecord, StateData
from shared.jobs import ATTEMPTS, FINISHED, JobStatus, PauseReason

COLUMNS = list(JobRow.__mapper__.columns)


class Promises:
    """Looks at the whole table after each step of a story, and remembers what it saw."""

    def __init__(self) -> None:
        self._told: dict[str, list[EventRecord]] = {}
        self._events = 0
        self._cursor = 0
        self._ended: dict[str, tuple[Any, ...]] = {}  # job → its whole row at its end
        self._begun: dict[str, tuple[int, int | None]] = {}  # job → when it was made and started

    def hold(self, session: Session, *, set_back: bool) -> None:
        """Check all of them; `set_back`: the clock was, so times tell no order."""
        rows = list(session.scalars(sa.select(JobRow).order_by(JobRow.number)))
        self._no_event_is_lost(session)
        self._one_runs([row for row in rows if row.status == JobStatus.running])
        self._places_are_whole(rows)
        paused = bool(machine_state.is_paused(session))
        for row in rows:
            self._ends_once(row)
            self._never_changes_after_its_end(row)
            self._says_why_it_is_paused(row, machine_is_paused=paused)
            self._times_stand(row, in_order=not set_back)
            assert 1 <= row.attempt <= ATTEMPTS

    def _no_event_is_lost(self, session: Session) -> None:
        new = session.scalars(sa.select(EventRow).where(EventRow.cursor > self._cursor).order_by(EventRow.cursor)).all()
        for row in new:
            known = self._told.setdefault(row.job_id, [])
            known.append(EventRecord.model_validate_json(row.record))
            assert row.sequence == len(known)
        self._events += len(new)
        self._cursor = new[-1].cursor if new else self._cursor
        assert session.scalar(sa.select(sa.func.count()).select_from(EventRow)) == self._events

    def _one_runs(self, running: list[JobRow]) -> None:
        assert len(running) <= 1

    def _places_are_whole(self, rows: list[JobRow]) -> None:
        waiting = [row for row in rows if row.status == JobStatus.queued and not row.cancel_requested]
        assert all(row.queue_position is None for row in rows if row not in waiting)
        found = sorted(row.queue_position or 0 for row in waiting)
        assert found == list(range(1, len(waiting) + 1))

    def _ends_once(self, row: JobRow) -> None:
        states = [record.data.status for record in self._told[row.id] if isinstance(record.data, StateData)]
        ends = [status for status in states if status in FINISHED]
        assert ends == ([row.status] if row.status in FINISHED else [])
        assert (row.finished_at is not None) == (row.status in FINISHED)

    def _never_changes_after_its_end(self, row: JobRow) -> None:
        if row.status in FINISHED or row.id in self._ended:
            whole = tuple(getattr(row, column.key) for column in COLUMNS)
            assert self._ended.setdefault(row.id, whole) == whole

    def _says_why_it_is_paused(self, row: JobRow, *, machine_is_paused: bool) -> None:
        assert (row.status == JobStatus.paused) == (row.paused_for is not None)
        if row.paused_for in (PauseReason.agent, PauseReason.gpu):  # a machine that goes on leaves no job behind
            assert machine_is_paused or row.cancel_requested
        assert row.paused_for is None or PauseReason(row.paused_for)

    def _times_stand(self, row: JobRow, *, in_order: bool) -> None:
        created, started = self._begun.get(row.id, (row.created_at, row.started_at))
        assert row.created_at == created
        assert started is None or row.started_at == started
        self._begun[row.id] = row.created_at, row.started_at
        if in_order:
            times = [time for time in (row.created_at, row.started_at, row.finished_at) if time is not None]
            assert all(before <= after for before, after in pairwise(times))
            told = [record.created_at for record in self._told[row.id]]
            assert all(before <= after for before, after in pairwise(told))
