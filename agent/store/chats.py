"""A chat that goes on under another id: whatever names it is moved, in the transaction of the caller."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.store.tables import FileRow, GrantRow, JobRow, PlanRow
from shared.people import ChatMove, ChatMoved, GrantKind

PLACES = (GrantKind.chat, GrantKind.server)  # a Telegram group is granted as either


def move(session: Session, asked: ChatMove) -> ChatMoved:
    """Give what was asked for in a chat, and what is granted to it, to the chat that it has become."""
    return ChatMoved(
        platform=asked.platform,
        chat=asked.chat,
        to=asked.to,
        grants=_move_grants(session, asked),
        files=_move_rows(session, FileRow, asked),
        plans=_move_rows(session, PlanRow, asked),
        jobs=_move_rows(session, JobRow, asked),
    )


def _move_grants(session: Session, asked: ChatMove) -> int:
    """Move grants; one that the new chat has already is the newer decision, and stays."""
    known = {(row.kind, row.subject): row for row in _grants(session, asked)}
    old = [row for (_kind, subject), row in known.items() if subject == asked.chat]
    for row in old:
        if (row.kind, asked.to) in known:
            session.delete(row)
        else:
            row.subject = asked.to
    session.flush()
    return len(old)


def _grants(session: Session, asked: ChatMove) -> list[GrantRow]:
    query = sa.select(GrantRow).where(GrantRow.platform == asked.platform, GrantRow.kind.in_(PLACES))
    return list(session.scalars(query.where(GrantRow.subject.in_((asked.chat, asked.to)))))


def _move_rows(session: Session, table: type[FileRow | PlanRow | JobRow], asked: ChatMove) -> int:
    here = (table.platform == asked.platform, table.chat == asked.chat)
    return len(session.scalars(sa.update(table).where(*here).values(chat=asked.to).returning(table.id)).all())
