"""What people said in an exported chat: their messages, and how they are called. Pure; nothing is judged.

Who is who, and what becomes of it, is decided in `talks`; the programs that export chats are in `exports`.
"""

import datetime
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.data.quoting import UNSEEN

NAME_CHARS = 200
MILLISECONDS = 1e11  # a larger number is no count of seconds since 1970


@dataclass(frozen=True, kw_only=True)
class ExportedMessage:
    """One message of one person."""

    line: int  # of the file; in JSON the number of the message
    at: float | None  # seconds since 1970, or at least since some fixed moment
    who: str
    text: str
    room: int = 0  # an export may hold several chats


@dataclass(frozen=True, kw_only=True)
class ChatExport:
    """All that was said, and how people are called in it."""

    said: list[ExportedMessage]
    names: dict[str, set[str]] = field(default_factory=dict)  # who → what they are called, in messages of others too
    unit: Literal["Line", "Row"] = "Row"  # what `line` counts


def speaker_name(raw: object) -> str:
    """Return a name as it can be shown, typed and stored: one line of what can be seen, ? where there is nothing."""
    visible = UNSEEN.sub("", str(raw or "")).encode("utf-8", "ignore").decode()
    return " ".join(visible.split())[:NAME_CHARS] or "?"


class SpeakerNames:
    """People by their ids: two may have the same name."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._next: dict[str, int] = {}  # by name, the number of whoever has it next
        self.names: dict[str, set[str]] = {}

    def known(self, key: str, called: list[str]) -> str:
        """Return by which name goes whoever has this id, and is called so: the first name that is heard."""
        if key not in self._by_id:
            name = shown = speaker_name(next(iter(called), None))
            while shown in self.names:
                number = self._next.get(name, 2)
                shown, self._next[name] = f"{name} ({number})", number + 1
            self._by_id[key] = shown
        self.names.setdefault(self._by_id[key], set()).update(called)
        return self._by_id[key]


def names_of(person: dict[str, Any], *keys: str) -> list[str]:
    """Return what somebody is called under these keys of their profile."""
    return [name for key in keys if isinstance(name := person.get(key), str) and name.strip()]


def moment(value: Any) -> float | None:
    """Return a time as seconds since 1970: of ISO 8601, or of a count of seconds or milliseconds; else None."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.replace(".", "", 1).isdecimal()):
            count = float(value)
            return count / 1000 if count > MILLISECONDS else count
        parsed = datetime.datetime.fromisoformat(value.removesuffix(" UTC"))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)).timestamp()
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
