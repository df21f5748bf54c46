"""The keys that were given out: their names, scopes and hashes, never the keys themselves."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.auth.keys import OWNER, Key, KeyKind, digest, same
from agent.errors import AgentError
from agent.store.tables import KeyRow
from shared.errors import ErrorCode
from shared.language import _


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key as its owner sees it."""

    key: Key
    created_at: int
    used_at: int | None
    revoked_at: int | None


def find(session: Session, secret: str) -> Key | None:
    """Return the key with this secret; None where there is none, or it was revoked."""
    expected = digest(secret)
    row = session.scalars(sa.select(KeyRow).where(KeyRow.digest == expected, KeyRow.revoked_at.is_(None))).first()
    if row is None or not same(row.digest, expected):
        return None
    return _to_key(row)


def note_use(session: Session, name: str, *, now: float) -> None:
    """Note that a key was used."""
    row = session.get(KeyRow, name)
    if row is not None:
        row.used_at = int(now)


def listing(session: Session) -> list[StoredKey]:
    """Return all keys, revoked ones too, as they were made."""
    return [
        StoredKey(key=_to_key(row), created_at=row.created_at, used_at=row.used_at, revoked_at=row.revoked_at)
        for row in session.scalars(sa.select(KeyRow).order_by(KeyRow.created_at, KeyRow.name))
    ]


def add(session: Session, key: Key, secret: str, *, now: float) -> None:
    """Store a new key; its name is free again once the one that had it was revoked. Raises invalid_request."""
    row = session.get(KeyRow, key.name)
    if row is not None and row.revoked_at is None:
        raise AgentError(
            _(
                "There is a key “{name}” already. Choose another name, or revoke that one first: hearth-agent key "
                "revoke {name}.",
                name=key.name,
            ),
            code=ErrorCode.invalid_request,
        )
    if row is not None:
        session.delete(row)
        session.flush()
    session.add(
        KeyRow(
            name=key.name,
            kind=key.kind,
            digest=digest(secret),
            platforms=" ".join(key.platforms),
            person=key.person,
            created_at=int(now),
        )
    )


def may_keep(session: Session, name: str) -> bool:
    """Say whether a key of this name, which lies in a file of the agent's, holds or may be made: it was not revoked."""
    row = session.get(KeyRow, name)
    return row is None or row.revoked_at is None


def keep(session: Session, key: Key, secret: str, *, now: float) -> None:
    """Store a key that lies in a file of the agent's, or note that it is another one now."""
    row = session.get(KeyRow, key.name)
    if row is None:
        add(session, key, secret, now=now)
    elif row.digest != digest(secret):
        row.digest, row.created_at, row.used_at = digest(secret), int(now), None


def revoke(session: Session, name: str, *, now: float) -> None:
    """Let a key hold no more, from its next request on. Raises not_found, not_allowed for the agent's own."""
    row = session.get(KeyRow, name)
    if row is None or row.revoked_at is not None:
        raise AgentError(
            _("There is no key “{name}”. hearth-agent key list shows those there are.", name=name),
            code=ErrorCode.not_found,
        )
    if row.name == OWNER.name:
        raise AgentError(
            _(
                "The owner's key is the file agent.key in the data folder. Delete the file and start the agent again: "
                "it makes another one."
            ),
            code=ErrorCode.not_allowed,
        )
    row.revoked_at = int(now)


def _to_key(row: KeyRow) -> Key:
    return Key(name=row.name, kind=KeyKind(row.kind), platforms=tuple(row.platforms.split()), person=row.person)
