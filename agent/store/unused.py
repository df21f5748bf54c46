"""Datasets that nobody used for long and nothing refers to: somebody may have them removed. Removes nothing itself."""

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from agent.store.files import to_object
from agent.store.tables import FileRow, JobRow, PlanRow
from shared.files import FileObject
from shared.jobs import UNFINISHED
from shared.people import RequestedBy

MOST = 1000  # named at a time


def listing(
    session: Session, *, now: float, since: float, of: RequestedBy | None, sent_in: RequestedBy | None
) -> list[FileObject]:
    """Return the datasets that were not used since a moment, the largest first.

    `of`: those of this person alone. `sent_in`: those that were sent in the chat where this person asks.
    """
    query = sa.select(FileRow).where(FileRow.job_id.is_(None), FileRow.used_at < since, *_nothing_refers(now, since))
    if of is not None:
        query = query.where(FileRow.platform == of.platform, FileRow.person == of.person)
    if sent_in is not None:
        query = query.where(FileRow.platform == sent_in.platform, FileRow.chat == sent_in.chat)
    rows = session.scalars(query.order_by(FileRow.bytes.desc(), FileRow.number).limit(MOST))
    return [to_object(row) for row in rows]


def _nothing_refers(now: float, since: float) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what holds of a file that no plan needs, nor a job that goes on, ended lately or has its results here."""
    result = aliased(FileRow)
    has_results = sa.exists().where(result.job_id == JobRow.id)
    needs_it = sa.or_(JobRow.status.in_(UNFINISHED), JobRow.finished_at >= since, has_results)
    held_out = PlanRow.plan.contains(FileRow.id)  # which no column says
    return (
        ~sa.exists().where(PlanRow.expires_at > now, sa.or_(PlanRow.file_id == FileRow.id, held_out)),
        ~sa.exists().where(sa.or_(JobRow.training_file == FileRow.id, JobRow.validation_file == FileRow.id), needs_it),
    )
