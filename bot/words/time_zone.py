"""The time zone that a person's times are shown and read in: theirs, else this machine's.

It travels as the language does, see `shared.language`: said once where a call comes in, for all that is done in its
block.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_zone: ContextVar[tzinfo | None] = ContextVar("zone", default=None)


@contextmanager
def in_zone(name: str) -> Iterator[None]:
    """Show and read times in a zone within the block, and in the tasks it starts; empty: in this machine's."""
    token = _zone.set(zone_called(name))
    try:
        yield
    finally:
        _zone.reset(token)


def zone_here() -> tzinfo | None:
    """Return the zone that counts here and now; None: this machine's, as datetime takes it."""
    return _zone.get()


@functools.cache
def zone_called(name: str) -> tzinfo | None:
    """Return a zone by the name that it is kept under: Europe/Berlin, +02:00. None: unknown, so this machine's."""
    try:
        if name.startswith(("+", "-")):
            hours, minutes = (int(part) for part in name[1:].split(":"))
            span = timedelta(hours=hours, minutes=minutes)
            return timezone(span if name.startswith("+") else -span)
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def in_this_zone(then: datetime) -> datetime:
    """Return a time of the clocks here, read without a zone, as one with its zone; this machine's needs none."""
    return then.replace(tzinfo=zone_here()) if then.tzinfo is None else then
