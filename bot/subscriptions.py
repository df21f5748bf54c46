"""Which message shows which job, and how far the feed was read, in one small SQLite file.

It may be lost without losing a job: then only the live cards are orphaned.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SCHEMA = """
CREATE TABLE IF NOT EXISTS cards (
    platform TEXT NOT NULL, chat_id TEXT NOT NULL, job_id TEXT NOT NULL,
    message_id TEXT NOT NULL, person TEXT NOT NULL,
    shown TEXT NOT NULL DEFAULT '',
    delivered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (platform, chat_id, job_id)
) STRICT;
CREATE TABLE IF NOT EXISTS feed (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One live card: at most one for a job in a chat."""

    platform: str
    chat_id: str
    job_id: str
    message_id: str
    person: str
    shown: str = ""  # the last text that was seen there

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes it one."""
        return (self.platform, self.chat_id, self.job_id)


class Subscriptions:
    """The bot's own memory. Used from one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._db.executescript(SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def put(self, subscription: Subscription) -> None:
        """Remember a card; a job's older card in the same chat is forgotten."""
        self._db.execute(
            "INSERT INTO cards (platform, chat_id, job_id, message_id, person, shown) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET message_id = excluded.message_id, person = excluded.person, "
            "shown = excluded.shown, delivered = 0",
            (*subscription.key, subscription.message_id, subscription.person, subscription.shown),
        )

    def find(self, platform: str, chat_id: str, job_id: str) -> Subscription | None:
        """Return the card of a job in a chat whose end has not been told there."""
        found = [card for card in self.undelivered() if card.key == (platform, chat_id, job_id)]
        return found[0] if found else None

    def undelivered(self) -> list[Subscription]:
        """Return every card whose end has not been told yet."""
        rows = self._db.execute(
            "SELECT platform, chat_id, job_id, message_id, person, shown FROM cards WHERE delivered = 0 ORDER BY rowid"
        )
        return [
            Subscription(platform=row[0], chat_id=row[1], job_id=row[2], message_id=row[3], person=row[4], shown=row[5])
            for row in rows
        ]

    def delivered(self, subscription: Subscription) -> None:
        """Note that the end of the job was told."""
        self._db.execute(
            "UPDATE cards SET delivered = 1 WHERE platform = ? AND chat_id = ? AND job_id = ?", subscription.key
        )

    @property
    def cursor(self) -> int | None:
        """The newest event of the feed that was taken in; None before the first."""
        row = self._db.execute("SELECT cursor FROM feed").fetchone()
        return int(row[0]) if row else None

    @cursor.setter
    def cursor(self, value: int) -> None:
        self._db.execute(
            "INSERT INTO feed (one, cursor) VALUES (1, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor", (value,)
        )
