"""Models that somebody asked for and the owner has not said yes to yet: by a number that fits into any button."""

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


class Approvals:
    """The wishes that the owner was asked about."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def ask(self, wish: Wish, *, now: float) -> int | None:
        """Note a wish and return its number; None: the owner was asked for that model in that chat not long ago."""
        key = (wish.model, wish.platform, wish.chat_id)
        # Asked later than now: the clock was set back since.
        self._db.write("UPDATE approvals SET asked_at = ? WHERE asked_at > ?", (now, now))
        asked = self._db.rows(
            "SELECT 1 FROM approvals WHERE model = ? AND platform = ? AND chat_id = ? AND asked_at > ?",
            (*key, now - AGAIN_S),
        )
        if asked:
            return None
        return self._db.write(
            "INSERT INTO approvals (model, platform, chat_id, person, line, asked_at) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, wish.person, wish.line, now),
        )

    def find(self, number: int) -> Wish | None:
        """Return a wish by its number, or None if it was answered."""
        rows = self._db.rows("SELECT model, platform, chat_id, person, line FROM approvals WHERE number = ?", (number,))
        if not rows:
            return None
        model, platform, chat_id, person, line = rows[0]
        return Wish(model=model, platform=platform, chat_id=chat_id, person=person, line=line)

    def forget(self, model: str) -> None:
        """Forget who wished for a model: it was said yes to."""
        self._db.write("DELETE FROM approvals WHERE model = ?", (model,))
