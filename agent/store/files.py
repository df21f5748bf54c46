"""Files: datasets that people sent, results that jobs made. Rows here; the bytes lie in the data folder."""

import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.admission.bounds import Party, Use, check
from agent.errors import AgentError
from agent.store.ids import new_id
from agent.store.requester import to_columns
from agent.store.status_names import STATUS_WORDS
from agent.store.tables import FileRow, JobRow
from shared.errors import ErrorCode
from shared.files import FileObject, FilePurpose
from shared.jobs import UNFINISHED
from shared.language import _
from shared.people import RequestedBy

NAME_LIMIT = 120
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, bidi and other invisible characters


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file and where its bytes are."""

    file: FileObject
    path: str  # relative to the data folder


def safe_name(name: str) -> str:
    """Return a name that can be shown: the last part, without invisible characters, at most 120 long."""
    visible = "".join(char for char in name if unicodedata.category(char) not in _HIDDEN)
    base = PurePosixPath(visible.replace("\\", "/")).name.strip()
    if len(base) > NAME_LIMIT:
        suffix = PurePosixPath(base).suffix[:20]
        base = base[: NAME_LIMIT - len(suffix)] + suffix
    return base if base.strip(". ") else "file"


def add(
    session: Session,
    *,
    file_id: str,
    filename: str,
    size: int,
    sha256: str,
    path: str,
    now: int,
    requested_by: RequestedBy | None,
    parent: str | None = None,
    party: Party | None = None,
) -> FileObject:
    """Record a dataset whose bytes are on disk already: uploaded, or made from another. Raises too_much_stored."""
    if party is not None:
        check_stored(session, party, size)
    row = FileRow(
        id=file_id,
        created_at=now,
        used_at=now,
        filename=safe_name(filename),
        purpose=FilePurpose.fine_tune,
        bytes=size,
        sha256=sha256,
        path=path,
        job_id=None,
        parent=parent,
        **to_columns(requested_by),
    )
    session.add(row)
    session.flush()
    if parent is not None:
        note_use(session, parent, now=now)
    return to_object(row)


def note_use(session: Session, file_id: str, *, now: int) -> None:
    """Note that a dataset was of use to somebody."""
    session.execute(sa.update(FileRow).where(FileRow.id == file_id, FileRow.used_at < now).values(used_at=now))


def add_result(
    session: Session, *, job: JobRow, filename: str, size: int, sha256: str, path: str, now: int
) -> FileObject:
    """Record a file that a job left in its folder."""
    row = FileRow(
        id=new_id("file"),
        created_at=now,
        used_at=now,
        filename=safe_name(filename),
        purpose=FilePurpose.fine_tune_results,
        bytes=size,
        sha256=sha256,
        path=path,
        job_id=job.id,
        platform=job.platform,
        person=job.person,
        chat=job.chat,
        person_name=job.person_name,
    )
    session.add(row)
    session.flush()
    return to_object(row)


def check_stored(session: Session, party: Party, more: int) -> None:
    """Raise too_much_stored where `more` bytes of datasets would be too many beside those that are here."""
    datasets = FileRow.job_id.is_(None)
    platform, person = party.person or (None, None)
    check(
        Use.stored,
        party,
        of_person=_bytes(session, datasets, FileRow.platform == platform, FileRow.person == person),
        of_key=_bytes(session, datasets, FileRow.platform.in_(party.platforms or ())),
        more=more,
    )


def _bytes(session: Session, *where: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.coalesce(sa.func.sum(FileRow.bytes), 0)).where(*where)) or 0


def made_from(session: Session, parent: str, sha256: str, requested_by: RequestedBy | None) -> FileObject | None:
    """Return what the same person made of this file already, if it has the same bytes: asked twice, it is one file."""
    columns = to_columns(requested_by)
    row = session.scalars(
        sa.select(FileRow)
        .where(FileRow.parent == parent, FileRow.sha256 == sha256)
        .where(FileRow.platform == columns["platform"], FileRow.person == columns["person"])
        .where(FileRow.chat == columns["chat"])
        .limit(1)
    ).first()
    return to_object(row) if row is not None else None


def get(session: Session, file_id: str) -> StoredFile:
    """Return one file; raise not_found."""
    row = _row(session, file_id)
    return StoredFile(file=to_object(row), path=row.path)


def listing(
    session: Session,
    *,
    limit: int,
    after: str | None,
    purpose: FilePurpose | None,
    order: Literal["asc", "desc"] = "desc",
    near: RequestedBy | None = None,
) -> tuple[list[FileObject], bool]:
    """Return a page of files, newest first unless asked otherwise, and whether there are more.

    `near` leaves those of this person and of the chat they ask from.
    """
    query = sa.select(FileRow).order_by(FileRow.number.asc() if order == "asc" else FileRow.number.desc())
    if purpose is not None:
        query = query.where(FileRow.purpose == purpose)
    if near is not None:
        theirs = sa.or_(FileRow.person == near.person, FileRow.chat == near.chat)
        query = query.where(FileRow.platform == near.platform, theirs)
    if after is not None:
        mark = _row(session, after).number
        query = query.where(FileRow.number > mark if order == "asc" else FileRow.number < mark)
    rows = session.scalars(query.limit(limit + 1)).all()
    return [to_object(row) for row in rows[:limit]], len(rows) > limit


def delete(session: Session, file_id: str) -> str:
    """Forget a file and return the path of its bytes; raise file_in_use while an unfinished job needs it."""
    row = _row(session, file_id)
    user = session.scalars(
        sa.select(JobRow)
        .where(JobRow.status.in_(UNFINISHED))
        .where(sa.or_(JobRow.training_file == file_id, JobRow.validation_file == file_id, JobRow.id == row.job_id))
        .limit(1)
    ).first()
    if user is not None:
        raise AgentError(
            _(
                "{filename} is used by job #{number}, which is {status}. Cancel the job first, or delete "
                "the file when it has ended.",
                filename=row.filename,
                number=user.number,
                status=_(STATUS_WORDS[user.status]),
            ),
            code=ErrorCode.file_in_use,
        )
    session.delete(row)
    return row.path


def paths(session: Session) -> set[str]:
    """Return where the bytes of all files are, relative to the data folder."""
    return set(session.scalars(sa.select(FileRow.path).where(FileRow.job_id.is_(None))))


def result_ids(session: Session, job_id: str) -> list[str]:
    """Return the ids of a job's result files, oldest first."""
    return list(session.scalars(sa.select(FileRow.id).where(FileRow.job_id == job_id).order_by(FileRow.number)))


def _row(session: Session, file_id: str) -> FileRow:
    row = session.scalars(sa.select(FileRow).where(FileRow.id == file_id)).first()
    if row is None:
        raise AgentError(
            _("There is no file {file_id!r}. It may have been deleted.", file_id=file_id), code=ErrorCode.not_found
        )
    return row


def to_object(row: FileRow) -> FileObject:
    """Return a row as clients see it."""
    return FileObject(
        id=row.id,
        bytes=row.bytes,
        created_at=row.created_at,
        filename=row.filename,
        purpose=FilePurpose(row.purpose),
        sha256=row.sha256,
        job_id=row.job_id,
        parent=row.parent,
    )
