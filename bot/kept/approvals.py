"""Models that somebody asked for and the owner has not said yes to yet: by a number that fits into any button.

A wish stays when it was answered: what was wished for is asked again by its number, without an id in sight.
"""

from dataclasses import dataclass

from bot.kept.database import Database

AGAIN_S = 86_400.0  # the owner is not asked about the same model in the same chat more often


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Who wants which model, and what they have to say once they may."""

    model: str
    platform: str
    chat_id: str
    person: str
    line: str  # the command to send again
    answered: bool = False  # with yes or no


class Approvals:
    """The wishes that the owner was asked about."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def ask(self, wish: Wish, *, now: float) -> tuple[int, bool]:
        """Note a wish; return its number, and whether it is new: the owner was not asked for it there not long ago."""
        key = (wish.model, wish.platform, wish.chat_id)
        # Asked later than now: the clock was set back since.
        self._db.write("UPDATE approvals SET asked_at = ? WHERE asked_at > ?", (now, now))
        asked = self._db.rows(
            "SELECT 1 FROM approvals WHERE (model, platform, chat_id) = (?, ?, ?) AND asked_at > ? AND NOT answered",
            (*key, now - AGAIN_S),
        )
        number = self._db.write(
            "INSERT INTO approvals (model, platform, chat_id, person, line, asked_at) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, wish.person, wish.line, now if not asked else 0.0),
        )
        return number, not asked

    def find(self, number: int) -> Wish | None:
        """Return a wish by its number, answered or not; None: I have lost it."""
        rows = self._db.rows(
            "SELECT model, platform, chat_id, person, line, answered FROM approvals WHERE number = ?", (number,)
        )
        if not rows:
            return None
        model, platform, chat_id, person, line, answered = rows[0]
        return Wish(model=model, platform=platform, chat_id=chat_id, person=person, line=line, answered=bool(answered))

    def answer(self, model: str) -> None:
        """Note that the owner has said yes or no to a model."""
        self._db.write("UPDATE approvals SET answered = 1 WHERE model = ?", (model,))
