"""What was last put before a person in a chat: a plan, or a question about a file. By a number that fits any button.

So a plan is changed by words alone, and no card shows the id of anything. It may be lost: the card is asked for again.
"""

import asyncio
import json
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from bot.core.call import Call
from bot.errors import BadCallError, StorageError
from bot.kept.database import Database, Row, noted
from shared.language import _

KEPT_S = 7 * 86_400.0  # as long as the agent keeps a plan


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A plan that was not started, or a file that was asked about."""

    number: int
    plan: str  # ftplan-…, or insp-… of what was asked
    at: int | None  # when the plan's job may start; seconds since 1970
    mine: bool = True  # of whoever names it

    def refuse_unless_mine(self) -> None:
        """Raise BadCallError if it is somebody else's: it would not be theirs any more once it was changed."""
        if not self.mine:
            raise BadCallError(_("That is somebody else's plan. Send a file of your own for one of yours."))

    @property
    def named(self) -> str:
        """How /finetune is told that this one is to be changed, or answered."""
        return f"of:{self.plan}" if self.asks else f"look:{self.number}"

    @property
    def asks(self) -> bool:
        """Whether it is a question about a file."""
        return self.plan.startswith("insp-")


class Offers:
    """The offers of all chats."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, ref: str) -> asyncio.Lock:
        """Return what lets one tap after the other change what a number or an id stands for."""
        return self._turns.setdefault(ref, asyncio.Lock())

    def make(self, call: Call, plan: str, *, at: int | None, now: float, answers: str = "") -> str:
        """Note what a person is shown; return how a button names it: by a number, or by its id if I cannot write.

        `answers`: the question that came before it, which the same message led to.
        """
        try:
            asked_in, asked_with = self._asked(call, answers) or (call.asked_in or "", json.dumps(call.arguments))
            self._db.write("DELETE FROM offers WHERE made_at < ?", (now - KEPT_S,))
            number = self._db.write(
                "INSERT INTO offers (platform, chat_id, person, plan, at, made_at, asked_in, asked_with) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (call.platform, call.chat_id, call.person, plan, at, now, asked_in, asked_with),
            )
        except StorageError:
            return plan
        return str(number)

    def _asked(self, call: Call, question: str) -> Row | None:
        rows = self._db.rows(
            "SELECT asked_in, asked_with FROM offers WHERE (platform, chat_id, person, plan) = (?, ?, ?, ?) "
            "ORDER BY number DESC LIMIT 1",
            (call.platform, call.chat_id, call.person, question),
        )
        return rows[0] if question and rows else None

    def led_to(self, call: Call) -> tuple[Offer, tuple[str, ...]] | None:
        """Return what a call's message led to and the words that it was asked with; None: nothing that is open."""
        rows = self._db.rows(
            "SELECT number, plan, at, asked_with FROM offers "
            "WHERE (platform, chat_id, person, asked_in) = (?, ?, ?, ?) ORDER BY made_at DESC, number DESC LIMIT 1",
            (call.platform, call.chat_id, call.person, call.asked_in or None),
        )
        return (_offer(rows[0][:3]), tuple(json.loads(rows[0][3]))) if rows and rows[0][1] else None

    def reword(self, offer: Offer, words: tuple[str, ...]) -> None:
        """Note how the message that led to an offer reads now."""
        with noted():
            self._db.write("UPDATE offers SET asked_with = ? WHERE number = ?", (json.dumps(words), offer.number))

    def find(self, call: Call, number: str) -> Offer:
        """Return an offer by its number; raise BadCallError if it is closed or lost."""
        rows = self._db.rows(
            "SELECT number, plan, at, platform, person FROM offers WHERE number = ? AND plan != ''", (int(number[:15]),)
        )
        if not rows:
            raise BadCallError(_("That plan was started already, or it is more than a week old. Send the file again."))
        return replace(_offer(rows[0][:3]), mine=rows[0][3:] == (call.platform, call.person))

    def newest(self, call: Call) -> Offer | None:
        """Return what this person was shown last in this chat, if it is still open."""
        rows = self._db.rows(
            "SELECT number, plan, at FROM offers WHERE (platform, chat_id, person) = (?, ?, ?) "
            "ORDER BY made_at DESC, number DESC LIMIT 1",
            (call.platform, call.chat_id, call.person),
        )
        return _offer(rows[0]) if rows and rows[0][1] else None

    def becomes(self, offer: Offer, plan: str, *, at: int | None, now: float) -> None:
        """Put another plan, or the same, in the place of one that is shown again: what was shown last is the newest."""
        with noted():
            self._db.write(
                "UPDATE offers SET plan = ?, at = ?, made_at = ? WHERE number = ?", (plan, at, now, offer.number)
            )

    def close(self, plan: str) -> None:
        """Forget a plan that was started or turned down. What was shown before it is not open again by that."""
        with noted():
            self._db.write("UPDATE offers SET plan = '' WHERE plan = ?", (plan,))


def _offer(row: Row) -> Offer:
    number, plan, at = row
    return Offer(number=number, plan=plan, at=at)
