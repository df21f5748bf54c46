"""Which findings about a file a person does not want to read of again: small advice, by the file's content."""

import logging
from collections.abc import Iterable

from bot.core.call import Call
from bot.errors import StorageError
from bot.kept.database import Database

logger = logging.getLogger(__name__)


class Ignored:
    """What people have read of their files and know. What cannot be read is ignored by nobody."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, call: Call, sha256: str) -> frozenset[str]:
        """Return the codes of what a person ignores about a file."""
        try:
            rows = self._db.rows(
                "SELECT code FROM ignored_findings WHERE (platform, person, sha256) = (?, ?, ?)",
                (call.platform, call.person, sha256),
            )
        except StorageError as error:
            logger.warning("what is ignored cannot be read: %s", error)
            return frozenset()
        return frozenset(row[0] for row in rows)

    def add(self, call: Call, sha256: str, codes: Iterable[str]) -> None:
        """Ignore more about a file; raise StorageError if that cannot be kept."""
        with self._db.transaction():
            for code in codes:
                self._db.write(
                    "INSERT OR IGNORE INTO ignored_findings (platform, person, sha256, code) VALUES (?, ?, ?, ?)",
                    (call.platform, call.person, sha256, code),
                )

    def forget(self, call: Call, sha256: str) -> None:
        """Ignore nothing about a file any more; raise StorageError."""
        self._db.write(
            "DELETE FROM ignored_findings WHERE (platform, person, sha256) = (?, ?, ?)",
            (call.platform, call.person, sha256),
        )
