"""The bot's one small SQLite file: opened, brought up to date, and moved aside where it is damaged.

It may be lost without losing a job. What was written survives a killed bot and a power cut (`synchronous = FULL`).
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from bot.errors import StorageError
from shared.language import _

logger = logging.getLogger(__name__)

DATABASE = "bot.sqlite3"  # in HEARTH_BOT_DIR

Row = tuple[Any, ...]

MIGRATIONS: tuple[tuple[str, ...], ...] = (  # the n-th brings a file of version n - 1 to version n; never changed again
    (
        # Files of before versions were counted say 0 and hold these two.
        """
        CREATE TABLE IF NOT EXISTS cards (
            platform TEXT NOT NULL, chat_id TEXT NOT NULL, job_id TEXT NOT NULL,
            message_id TEXT NOT NULL, person TEXT NOT NULL,
            shown TEXT NOT NULL DEFAULT '',
            delivered INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (platform, chat_id, job_id)
        ) STRICT
        """,
        "CREATE TABLE IF NOT EXISTS feed (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL) STRICT",
    ),
    (
        "ALTER TABLE cards ADD COLUMN deliveries INTEGER NOT NULL DEFAULT 0",  # begun, and not known to have failed
        """
        CREATE TABLE requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            platform TEXT NOT NULL, chat_id TEXT NOT NULL, person TEXT NOT NULL,
            command TEXT NOT NULL, arguments TEXT NOT NULL, files TEXT NOT NULL,
            pressed_id TEXT, answer_id TEXT,
            asked_at REAL NOT NULL
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE cards ADD COLUMN pages_told INTEGER NOT NULL DEFAULT 0",  # of the result
        "ALTER TABLE requests ADD COLUMN asker TEXT NOT NULL DEFAULT '{}'",
        """
        CREATE TABLE taken_in (
            platform TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (platform, id)
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE cards ADD COLUMN private INTEGER NOT NULL DEFAULT 0",  # nobody but who asked reads the chat
        """
        CREATE TABLE approvals (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL, platform TEXT NOT NULL, chat_id TEXT NOT NULL,
            person TEXT NOT NULL, line TEXT NOT NULL,
            asked_at REAL NOT NULL
        ) STRICT
        """,
    ),
    ("ALTER TABLE cards ADD COLUMN language TEXT NOT NULL DEFAULT 'en'",),
    ("ALTER TABLE cards ADD COLUMN called INTEGER NOT NULL DEFAULT 0",),  # it stands still, and its person was told
    # Who asked was told that it is kept. What is older than this column was kept for nothing else.
    ("ALTER TABLE requests ADD COLUMN promised INTEGER NOT NULL DEFAULT 1",),
    # shared.people.RequestedBy: in whose name the agent is asked for the card; empty: not known, of an older card
    ("ALTER TABLE cards ADD COLUMN asker TEXT NOT NULL DEFAULT ''",),
    (
        """
        CREATE TABLE moves (
            platform TEXT NOT NULL, chat_id TEXT NOT NULL, to_id TEXT NOT NULL,
            told INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (platform, chat_id)
        ) STRICT
        """,  # chats that go on under another id; told: the agent knows
    ),
    (
        """
        CREATE TABLE offers (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            platform TEXT NOT NULL, chat_id TEXT NOT NULL, person TEXT NOT NULL,
            plan TEXT NOT NULL, at INTEGER, made_at REAL NOT NULL
        ) STRICT
        """,  # what a person was shown last; plan: empty once it is started or turned down
        "ALTER TABLE approvals ADD COLUMN answered INTEGER NOT NULL DEFAULT 0",
        """
        CREATE TABLE talks (
            platform TEXT NOT NULL, chat_id TEXT NOT NULL, person TEXT NOT NULL,
            talk TEXT NOT NULL,
            PRIMARY KEY (platform, chat_id, person)
        ) STRICT
        """,
    ),
    (
        """
        CREATE TABLE person_settings (
            platform TEXT NOT NULL, person TEXT NOT NULL,
            language TEXT NOT NULL, zone TEXT NOT NULL,
            PRIMARY KEY (platform, person)
        ) STRICT
        """,  # what they set; empty: they did not
        """
        CREATE TABLE chat_settings (
            platform TEXT NOT NULL, chat_id TEXT NOT NULL,
            files INTEGER NOT NULL, silent INTEGER NOT NULL,
            PRIMARY KEY (platform, chat_id)
        ) STRICT
        """,  # what was set there
    ),
    (
        """
        CREATE TABLE ignored_findings (
            platform TEXT NOT NULL, person TEXT NOT NULL, sha256 TEXT NOT NULL, code TEXT NOT NULL,
            PRIMARY KEY (platform, person, sha256, code)
        ) STRICT
        """,  # of a file, by its content
    ),
    (
        "ALTER TABLE offers ADD COLUMN asked_in TEXT NOT NULL DEFAULT ''",  # the message that led to it
        "ALTER TABLE offers ADD COLUMN asked_with TEXT NOT NULL DEFAULT '[]'",  # the options that stand in that message
    ),
)
DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


class Database:
    """An open file. Used from one thread. Every statement is a transaction; raises StorageError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _open(path)
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                _move_aside(path, str(error))
                self._db = _open(path)
        except (sqlite3.Error, OSError) as cause:
            raise self._error(cause) from cause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._db.close()

    def rows(self, sql: str, values: Row = ()) -> list[Row]:
        """Return what a query finds."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as cause:
            raise self._error(cause) from cause

    def write(self, sql: str, values: Row = ()) -> int:
        """Change something; return the id of the row that was added last."""
        try:
            return self._db.execute(sql, values).lastrowid or 0
        except sqlite3.Error as cause:
            raise self._error(cause) from cause

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written in the block one change: all of it is on disk, or none."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self.write("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.rollback()
            raise

    def _error(self, cause: Exception) -> StorageError:
        return StorageError(
            _(
                "I cannot use my own small database {path}: {cause}. Is the disk full, or may I not write there?",
                path=self._path,
                cause=cause,
            )
        )


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise _DamagedError(said)
        _migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise _DamagedError(f"it was written by a newer bot (version {version}; I know {len(MIGRATIONS)})")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


class _DamagedError(sqlite3.DatabaseError):
    """The file opens, but what it holds is of no use to us."""


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte of an extended code is its family
    return isinstance(error, _DamagedError) or code in DAMAGED


def _move_aside(path: Path, why: str) -> None:
    """Rename the file and what belongs to it, so that its owner can look at it."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    logger.warning("%s is of no use: %s. It is now %s, and I begin anew: live cards are orphaned.", path, why, aside)


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Write something down, or log why not: what a chat is shown does not wait for my disk."""
    try:
        yield
    except StorageError as error:
        logger.warning("not noted: %s", error)
