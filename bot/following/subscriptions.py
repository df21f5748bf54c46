"""Which message shows which job, whether its end was told, and how far the feed was read."""

import logging
from dataclasses import dataclass

from pydantic import ValidationError

from bot.kept.database import Database, Row
from shared.people import RequestedBy

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One live card: at most one for a job in a chat."""

    platform: str
    chat_id: str
    job_id: str
    message_id: str
    person: str
    private: bool = False  # nobody but who asked reads the chat
    language: str = "en"  # of who asked, as shared.language names it
    shown: str = ""  # the last text that was seen there
    called: bool = False  # the job waits for a person, who was called
    asker: RequestedBy | None = None  # in whose name the agent is asked for it; None: not known, of an older card

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes it one."""
        return (self.platform, self.chat_id, self.job_id)


class Subscriptions:
    """The live cards that the bot remembers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, subscription: Subscription) -> None:
        """Remember a card; a job's older card in the same chat is forgotten."""
        self._db.write(
            "INSERT INTO cards (platform, chat_id, job_id, message_id, person, private, language, shown, called, "
            "asker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET message_id = excluded.message_id, person = excluded.person, "
            "private = excluded.private, language = excluded.language, shown = excluded.shown, "
            "called = excluded.called, asker = excluded.asker, delivered = 0",
            (
                *subscription.key,
                subscription.message_id,
                subscription.person,
                subscription.private,
                subscription.language,
                subscription.shown,
                subscription.called,
                subscription.asker.model_dump_json(exclude_defaults=True) if subscription.asker is not None else "",
            ),
        )

    def move(self, before: Subscription, after: Subscription) -> None:
        """Remember a card in another chat, where nothing of it was told yet."""
        with self._db.transaction():
            self._db.write("DELETE FROM cards WHERE platform = ? AND chat_id = ? AND job_id = ?", before.key)
            self.put(after)

    def find(self, platform: str, chat_id: str, job_id: str) -> Subscription | None:
        """Return the card of a job in a chat whose end has not been told there."""
        found = [card for card in self.undelivered() if card.key == (platform, chat_id, job_id)]
        return found[0] if found else None

    def undelivered(self) -> list[Subscription]:
        """Return every card whose end has not been told yet."""
        rows = self._db.rows(
            "SELECT platform, chat_id, job_id, message_id, person, private, language, shown, called, asker "
            "FROM cards WHERE delivered = 0 ORDER BY rowid"
        )
        return [_card(row) for row in rows]

    def any(self) -> bool:
        """Say whether there ever was a card."""
        return bool(self._db.rows("SELECT 1 FROM cards LIMIT 1"))

    def begin_delivery(self, subscription: Subscription) -> int:
        """Note that the end of the job is about to be told; return how often that was begun and not ended before."""
        before = self._db.rows(
            "SELECT deliveries FROM cards WHERE platform = ? AND chat_id = ? AND job_id = ?", subscription.key
        )
        self._db.write(
            "UPDATE cards SET deliveries = deliveries + 1 WHERE platform = ? AND chat_id = ? AND job_id = ?",
            subscription.key,
        )
        return int(before[0][0]) if before else 0

    def delivery_failed(self, subscription: Subscription) -> None:
        """Note that the delivery begun last did not arrive, and that this is known."""
        self._db.write(
            "UPDATE cards SET deliveries = deliveries - 1 WHERE platform = ? AND chat_id = ? AND job_id = ?",
            subscription.key,
        )

    def pages_told(self, subscription: Subscription) -> int:
        """Return how many messages of the result are known to have arrived."""
        rows = self._db.rows(
            "SELECT pages_told FROM cards WHERE platform = ? AND chat_id = ? AND job_id = ?", subscription.key
        )
        return int(rows[0][0]) if rows else 0

    def page_told(self, subscription: Subscription) -> None:
        """Note that one more message of the result has arrived. Kills are counted for the next one alone."""
        self._db.write(
            "UPDATE cards SET pages_told = pages_told + 1, deliveries = 1 "
            "WHERE platform = ? AND chat_id = ? AND job_id = ?",
            subscription.key,
        )

    def delivered(self, subscription: Subscription) -> None:
        """Note that the end of the job was told."""
        self._db.write(
            "UPDATE cards SET delivered = 1, deliveries = 0, pages_told = 0 "
            "WHERE platform = ? AND chat_id = ? AND job_id = ?",
            subscription.key,
        )

    @property
    def cursor(self) -> int | None:
        """The newest event of the feed that was taken in; None before the first."""
        rows = self._db.rows("SELECT cursor FROM feed")
        return int(rows[0][0]) if rows else None

    @cursor.setter
    def cursor(self, value: int) -> None:
        self._db.write(
            "INSERT INTO feed (one, cursor) VALUES (1, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor", (value,)
        )


def _asker(text: str) -> RequestedBy | None:
    try:
        return RequestedBy.model_validate_json(text) if text else None
    except ValidationError:
        logger.exception("who asked for a card cannot be read")
        return None


def _card(row: Row) -> Subscription:
    return Subscription(
        platform=row[0], chat_id=row[1], job_id=row[2], message_id=row[3], person=row[4], private=bool(row[5]),
        language=row[6], shown=row[7], called=bool(row[8]), asker=_asker(row[9]),
    )  # fmt: skip
