"""Five columns, one person: on whose behalf a row was made."""

from typing import TypedDict

from agent.store.tables import Requested
from shared.language import ENGLISH
from shared.people import RequestedBy


class Columns(TypedDict):
    """The values of the five columns."""

    platform: str | None
    person: str | None
    chat: str | None
    person_name: str | None
    language: str | None


def to_columns(requested_by: RequestedBy | None) -> Columns:
    """Return the five columns' values."""
    if requested_by is None:
        return Columns(platform=None, person=None, chat=None, person_name=None, language=None)
    return Columns(
        platform=requested_by.platform,
        person=requested_by.person,
        chat=requested_by.chat,
        person_name=requested_by.name,
        language=requested_by.language,
    )


def from_columns(row: Requested) -> RequestedBy | None:
    """Read them back: who it was and where, not what they were allowed by."""
    if row.platform is None or row.person is None or row.chat is None:
        return None
    return RequestedBy(
        platform=row.platform,
        person=row.person,
        chat=row.chat,
        name=row.person_name,
        language=row.language or ENGLISH,
    )
