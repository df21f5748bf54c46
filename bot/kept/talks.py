"""Who talks with which finished model, and what was said so far: kept until the talk ends, also beyond a restart."""

import asyncio
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bot.core.call import Call
from bot.kept.database import Database, noted

Key = tuple[str, str, str]
Turn = tuple[Literal["user", "assistant"], str]  # who, and their words


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One person's talk with one model in one chat."""

    number: int  # of the job
    name: str  # of the model, as people call it
    model: str  # the same, as the agent does: pirate:v1
    said: tuple[Turn, ...] = ()  # the oldest first


class Talks:
    """The talks that go on."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._turns: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, call: Call) -> Talk | None:
        """Return the talk that a person is in there."""
        rows = self._db.rows("SELECT talk FROM talks WHERE (platform, chat_id, person) = (?, ?, ?)", _key(call))
        return _read(rows[0][0]) if rows else None

    def keep(self, call: Call, talk: Talk) -> None:
        """Begin a talk, or remember how it goes on."""
        with noted():
            self._db.write(
                "INSERT OR REPLACE INTO talks (platform, chat_id, person, talk) VALUES (?, ?, ?, ?)",
                (*_key(call), json.dumps(asdict(talk))),
            )

    def end(self, call: Call) -> None:
        """Forget a talk, with all that was said."""
        with noted():
            self._db.write("DELETE FROM talks WHERE (platform, chat_id, person) = (?, ?, ?)", _key(call))

    def turn(self, call: Call) -> asyncio.Lock:
        """Return what lets one sentence after the other be answered."""
        return self._turns[_key(call)]


def _key(call: Call) -> Key:
    return call.platform, call.chat_id, call.person


def _read(stored: str) -> Talk | None:
    try:
        known: dict[str, Any] = json.loads(stored)
        said = tuple((role, str(words)) for role, words in known.pop("said") if role in ("user", "assistant"))
        return Talk(**known, said=said)
    except (ValueError, TypeError, KeyError):
        return None
