"""What was asked and not answered yet: kept in the bot's database until the agent has answered it.

A request is written down before the first word of an answer is shown, and struck out after the last. So a bot that is
killed in between finds it again, and one that cannot reach the agent sends it later, once.
"""

import asyncio
import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Self

from bot.core.call import Attachment, Call, Named
from bot.errors import StorageError
from bot.kept.approvals import Approvals
from bot.kept.database import Database, Row
from shared.people import GrantKind

logger = logging.getLogger(__name__)

REMEMBERED_S = 7 * 86_400  # for so long a platform may deliver the same thing again, and then some


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """An attachment without its bytes: enough to open it again."""

    name: str
    size: int | None
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class KeptAsker:
    """What is known of a person besides their id, where they asked and whom they named, as it was when they asked."""

    name: str = ""
    rights_chat_id: str | None = None
    chat_name: str = ""
    server: str | None = None
    server_name: str = ""
    roles: tuple[str, ...] = ()
    private: bool = False
    mentioned: tuple[Named, ...] = ()
    locale: str | None = None
    asked_in: str | None = None

    @classmethod
    def of(cls, call: Call) -> Self:
        """Return what a call says of it."""
        return cls(
            name=call.name, rights_chat_id=call.rights_chat_id, chat_name=call.chat_name, server=call.server,
            server_name=call.server_name, roles=call.roles, private=call.private, mentioned=call.mentioned,
            locale=call.locale, asked_in=call.asked_in,
        )  # fmt: skip

    def fill(self, call: Call) -> Call:
        """Return a call with all of it."""
        return replace(
            call, name=self.name, rights_chat_id=self.rights_chat_id, chat_name=self.chat_name, server=self.server,
            server_name=self.server_name, roles=self.roles, private=self.private, mentioned=self.mentioned,
            locale=self.locale, asked_in=self.asked_in,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class KeptRequest:
    """A call that waits for its answer."""

    id: int
    platform: str
    chat_id: str
    person: str
    command: str
    arguments: tuple[str, ...]
    files: tuple[KeptFile, ...]
    pressed_id: str | None  # the message whose button was pressed
    answer_id: str | None  # the message that answers it, once there is one
    asked_at: float  # seconds since 1970
    asker: KeptAsker = KeptAsker()
    promised: bool = False  # who asked was told that it is kept until the PC is back


class Requests:
    """The kept requests. One that nobody is at waits for the keeper."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.approvals = Approvals(database)  # what waits for the owner's yes rather than for the agent
        self._held: set[int] = set()  # somebody is at it
        self._over: set[int] = set()  # answered, or not to be answered by this process
        self._news = asyncio.Event()

    def keep(self, call: Call, *, asked_at: float) -> KeptRequest | None:
        """Write a call down and hold it; raise StorageError if that is not possible.

        None: it was written down before. A platform delivers again what it is not sure that we have.
        """
        request = KeptRequest(
            id=0, platform=call.platform, chat_id=call.chat_id, person=call.person, command=call.command,
            arguments=call.arguments, files=tuple(_without_bytes(attachment) for attachment in call.attachments),
            pressed_id=call.message_id, answer_id=None, asked_at=asked_at,
            asker=KeptAsker.of(call),
        )  # fmt: skip
        with self._db.transaction():
            if not self._is_new(call, asked_at):
                return None
            row_id = self._insert(request)
        self._held.add(row_id)
        return replace(request, id=row_id)

    def answered_in(self, request_id: int, message_id: str) -> None:
        """Note which message answers a request, so that nobody is answered twice."""
        self._change("UPDATE requests SET answer_id = ? WHERE id = ?", (message_id, request_id))

    def means(self, request_id: int | None, arguments: tuple[str, ...]) -> None:
        """Write down what a request was found to mean, so that it means the same when it is sent once more."""
        if request_id is not None:
            values = (json.dumps(arguments), request_id)
            self._change("UPDATE requests SET arguments = ? WHERE id = ?", values)

    def promise(self, request_id: int, *, kept: bool = True) -> None:
        """Note that who asked is told that the request is kept until the agent answers; or could not be told."""
        self._change("UPDATE requests SET promised = ? WHERE id = ?", (kept, request_id))

    def none_from_the_future(self, now: float) -> None:
        """Count what was asked later than now, by a clock that was set back since, as asked now."""
        self._change("UPDATE requests SET asked_at = ? WHERE asked_at > ?", (now, now))

    def strike_out(self, request_id: int) -> None:
        """Forget a request: it was answered, or taken back."""
        self._change("DELETE FROM requests WHERE id = ?", (request_id,))
        self._over.add(request_id)
        self._news.set()

    def leave(self, request_id: int) -> None:
        """Have a request answered by another process: one whose chat is connected."""
        self._over.add(request_id)
        self._news.set()

    def hold(self, request_id: int) -> None:
        """Say that somebody is at it."""
        self._held.add(request_id)

    def release(self, request_id: int) -> None:
        """Say that nobody is at it any more. If it was not struck out, it waits."""
        self._held.discard(request_id)
        self._news.set()

    def unanswered(self) -> list[KeptRequest]:
        """Return every kept request, oldest first."""
        rows = self._db.rows(
            "SELECT id, platform, chat_id, person, command, arguments, files, pressed_id, answer_id, asked_at, "
            "asker, promised FROM requests ORDER BY id"
        )
        known = [self._read(row) for row in rows if row[0] not in self._over]
        return [request for request in known if request is not None]

    def _read(self, row: Row) -> KeptRequest | None:
        """Return a request; None for one that cannot be read, which is logged once and left alone."""
        try:
            return _request(row)
        except Exception:
            logger.exception("kept request %s of %s in chat %s cannot be read; I leave it alone", *row[:3])
            self._over.add(row[0])
            return None

    def waiting(self) -> list[KeptRequest]:
        """Return those that nobody is at."""
        return [request for request in self.unanswered() if request.id not in self._held]

    async def some_waiting(self) -> None:
        """Wait until there is one that nobody is at."""
        while not self.waiting():
            await self._next_change()

    async def all_answered(self) -> None:
        """Wait until none is kept."""
        while self.unanswered():
            await self._next_change()

    async def _next_change(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _is_new(self, call: Call, now: float) -> bool:
        """Note what came in under its platform's id; say whether it was not noted yet."""
        if call.id is None:
            return True
        self._db.write("DELETE FROM taken_in WHERE at < ?", (now - REMEMBERED_S,))
        if self._db.rows("SELECT 1 FROM taken_in WHERE platform = ? AND id = ?", (call.platform, call.id)):
            return False
        self._db.write("INSERT INTO taken_in (platform, id, at) VALUES (?, ?, ?)", (call.platform, call.id, now))
        return True

    def _insert(self, request: KeptRequest) -> int:
        return self._db.write(
            "INSERT INTO requests (platform, chat_id, person, command, arguments, files, pressed_id, asked_at, asker, "
            "promised) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                *(request.platform, request.chat_id, request.person, request.command, json.dumps(request.arguments)),
                *(json.dumps([vars(file) for file in request.files]), request.pressed_id, request.asked_at),
                json.dumps(asdict(request.asker)),
            ),
        )

    def _change(self, sql: str, values: Row) -> None:
        """Write, or log why not: the answer is on its way, and matters more than the note."""
        try:
            self._db.write(sql, values)
        except StorageError as error:
            logger.warning("request not noted: %s", error)


def _without_bytes(attachment: Attachment) -> KeptFile:
    return KeptFile(name=attachment.name, size=attachment.size, reference=attachment.reference)


def _request(row: Row) -> KeptRequest:
    return KeptRequest(
        id=row[0], platform=row[1], chat_id=row[2], person=row[3], command=row[4],
        arguments=tuple(json.loads(row[5])), files=tuple(KeptFile(**file) for file in json.loads(row[6])),
        pressed_id=row[7], answer_id=row[8], asked_at=row[9], asker=_asker(row[10]),
        promised=bool(row[11]),
    )  # fmt: skip


def _asker(text: str) -> KeptAsker:
    known = json.loads(text)
    named = [Named(**{**one, "kind": GrantKind(one["kind"])}) for one in known.get("mentioned", ())]
    return KeptAsker(**{**known, "roles": tuple(known.get("roles", ())), "mentioned": tuple(named)})
