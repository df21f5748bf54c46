"""Who talks with which finished model, and what was said so far: kept until the talk ends, also beyond a restart."""

import asyncio
import json
import math
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bot.core.call import Call
from bot.core.clock import Clock
from bot.kept.database import Database, noted

SILENT_S = 12 * 3600.0  # then a talk has ended by itself: what is written next is meant for the bot

Key = tuple[str, str, str]
Turn = tuple[Literal["user", "assistant"], str]  # who, and their words


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One person's talk with one model in one chat."""

    number: int  # of the job
    name: str  # of the model, as people call it
    model: str  # the same, as the agent does: pirate:v1
    said: tuple[Turn, ...] = ()  # the oldest first
    at: float = math.inf  # when it was kept last; seconds since 1970. Of before that was noted: now


class Talks:
    """The talks that go on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._turns: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, call: Call) -> Talk | None:
        """Return the talk that a person is in there, unless they have been silent for half a day."""
        rows = self._db.rows("SELECT talk FROM talks WHERE (platform, chat_id, person) = (?, ?, ?)", _key(call))
        talk = _read(rows[0][0]) if rows else None
        return talk if talk is not None and self._clock.now() < talk.at + SILENT_S else None

    def keep(self, call: Call, talk: Talk) -> Talk:
        """Begin a talk, or remember how it goes on; return it with the time."""
        talk = replace(talk, at=self._clock.now())
        with noted():
            self._db.write(
                "INSERT OR REPLACE INTO talks (platform, chat_id, person, talk) VALUES (?, ?, ?, ?)",
                (*_key(call), json.dumps(asdict(talk))),
            )
        return talk

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
