"""Chats that go on under another id, as a Telegram group does that becomes a supergroup.

What I keep of such a chat moves in one transaction. The agent is told before it is asked anything else, however late it
is back: so it never hears of people in a chat that it does not know yet.
"""

import json
from dataclasses import dataclass

from bot.kept.database import Database, noted
from shared.people import RequestedBy

PLACES = ("rights_chat_id", "server")  # of who made a kept request: what names the chat


@dataclass(frozen=True, kw_only=True)
class Move:
    """One chat, and what it is called from now on."""

    platform: str
    chat_id: str
    to_id: str


class Moves:
    """Every move that was ever noticed: whatever names the old chat, however late it comes, means the new one."""

    def __init__(self, database: Database) -> None:
        self._db = database
        rows = database.rows("SELECT platform, chat_id, to_id, told FROM moves ORDER BY rowid")
        known = [(Move(platform=row[0], chat_id=row[1], to_id=row[2]), row[3]) for row in rows]
        self._by_chat = {(move.platform, move.chat_id): move for move, _told in known}
        self._untold = [move for move, told in known if not told]
        self._unwritten: list[Move] = []  # which the disk refused

    def of(self, platform: str) -> list[Move]:
        """Return the moves on a platform."""
        return [move for move in self._by_chat.values() if move.platform == platform]

    def now(self, platform: str, chat_id: str) -> str:
        """Return the id that a chat has now."""
        move = self._by_chat.get((platform, chat_id))
        return chat_id if move is None else move.to_id

    def person(self, who: RequestedBy) -> RequestedBy:
        """Return somebody where the chat they asked in is now."""
        server = who.server and self.now(who.platform, who.server)
        return who.model_copy(update={"chat": self.now(who.platform, who.chat), "server": server})

    def note(self, move: Move) -> bool:
        """Have all that is kept of a chat go on under its new id; say whether that is news."""
        if self.now(move.platform, move.chat_id) == move.to_id and move not in self._unwritten:
            return False
        news = move not in self._unwritten
        if news:
            self._by_chat[move.platform, move.chat_id] = move
            self._untold.append(move)
            self._unwritten.append(move)
        self._write(move)
        return news

    def _write(self, move: Move) -> None:
        """Move what is kept, all or nothing; where the disk refuses, it is tried again at the next request."""
        with noted():
            with self._db.transaction():
                self._db.write(
                    "INSERT OR REPLACE INTO moves (platform, chat_id, to_id) VALUES (?, ?, ?)",
                    (move.platform, move.chat_id, move.to_id),
                )
                self._move_cards(move)
                self._move_requests(move)
                self._move_what_waits(move)
            self._unwritten.remove(move)

    def untold(self) -> list[Move]:
        """Return the moves that the agent does not know of yet."""
        for move in list(self._unwritten):
            self._write(move)
        return list(self._untold)

    def told(self, move: Move) -> None:
        """Note that the agent knows."""
        self.leave(move)
        with noted():
            self._db.write(
                "UPDATE moves SET told = 1 WHERE platform = ? AND chat_id = ?", (move.platform, move.chat_id)
            )

    def leave(self, move: Move) -> None:
        """Tell the agent no more of a move until the next start."""
        if move in self._untold:
            self._untold.remove(move)

    def _move_cards(self, move: Move) -> None:
        """Have cards shown anew: no message of the old chat is one of the new. A card that is there already stays."""
        self._db.write(
            "UPDATE OR IGNORE cards SET chat_id = ?, message_id = '', shown = '' WHERE platform = ? AND chat_id = ?",
            (move.to_id, move.platform, move.chat_id),
        )
        self._db.write("DELETE FROM cards WHERE platform = ? AND chat_id = ?", (move.platform, move.chat_id))

    def _move_requests(self, move: Move) -> None:
        rows = self._db.rows("SELECT id, chat_id, asker FROM requests WHERE platform = ?", (move.platform,))
        for number, chat_id, asker in rows:
            if chat_id == move.chat_id:
                self._db.write(
                    "UPDATE requests SET chat_id = ?, pressed_id = NULL, answer_id = NULL WHERE id = ?",
                    (move.to_id, number),
                )
            self._db.write("UPDATE requests SET asker = ? WHERE id = ?", (_moved(asker, move), number))

    def _move_what_waits(self, move: Move) -> None:
        """Move what somebody there is to say yes to, may still change, or has set."""
        there = (move.to_id, move.platform, move.chat_id)
        self._db.write("UPDATE approvals SET chat_id = ? WHERE platform = ? AND chat_id = ?", there)
        self._db.write("UPDATE OR REPLACE talks SET chat_id = ? WHERE platform = ? AND chat_id = ?", there)
        self._db.write("UPDATE offers SET chat_id = ?, asked_in = '' WHERE platform = ? AND chat_id = ?", there)
        self._db.write("UPDATE OR REPLACE chat_settings SET chat_id = ? WHERE platform = ? AND chat_id = ?", there)


def _moved(asker: str, move: Move) -> str:
    """Return who asked, as stored, where the chat is now; what cannot be read stays as it is."""
    try:
        known = dict(json.loads(asker))
    except (ValueError, TypeError):
        return asker
    places = {name: move.to_id for name in PLACES if known.get(name) == move.chat_id}
    return json.dumps(known | places)
