"""What is in the chats: messages as people see them, and as the Bot API writes them."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from bot.words.format import size

Json = dict[str, Any]

AS_GROUP: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


@dataclass(kw_only=True)
class StoredFile:
    """A file that was sent."""

    id: str
    name: str
    content: bytes
    mime_type: str = "application/octet-stream"

    def json(self) -> Json:
        return {
            "file_id": self.id, "file_unique_id": f"u{self.id}", "file_name": self.name,
            "file_size": len(self.content), "mime_type": self.mime_type,
        }  # fmt: skip


@dataclass(kw_only=True)
class Shown:
    """A message as it reads now."""

    id: int
    chat: int
    author: Json
    date: int
    text: str = ""  # or the caption
    spans: list[tuple[str, str]] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)
    photo: bytes | None = None
    document: StoredFile | None = None
    buttons: list[list[Json]] = field(default_factory=list)
    topic: int | None = None
    reply_to: int | None = None
    silent: bool = False
    album: int | None = None  # which its file belongs to
    sender_chat: Json | None = None
    mentions: tuple[Json, ...] = ()  # users whom the text names without an @name, each by their first name
    forwarded_from: Json | None = None  # the user who wrote it first
    contact: Json | None = None
    edits: list[float] = field(default_factory=list)  # when
    reactions: list[str] = field(default_factory=list)  # the bot's, each in the place of the one before
    pictures: int = 0  # how often it got one

    @property
    def media(self) -> bool:
        return self.photo is not None or self.document is not None

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.buttons for button in row]


class Chats:
    """All chats of the server."""

    def __init__(self) -> None:
        self.chats: dict[int, Json] = {}
        self.topics: dict[int, set[int]] = {}
        self.messages: dict[tuple[int, int], Shown] = {}
        self.files: dict[str, StoredFile] = {}
        self._serials = itertools.count(1)

    def next_id(self) -> int:
        return next(self._serials)

    def add_group(self, chat: int, *, topics: tuple[int, ...] = (), basic: bool = False) -> int:
        kind = "group" if basic else "supergroup"
        self.chats[chat] = {"id": chat, "type": kind, "title": "Team", "is_forum": bool(topics)}
        self.topics[chat] = set(topics)
        return chat

    def store(self, name: str, content: bytes) -> StoredFile:
        file_id = f"BQACAgIAAxkBAAI{self.next_id():04d}" + "x" * 60  # real ones do not fit into a button either
        self.files[file_id] = StoredFile(id=file_id, name=name, content=content)
        return self.files[file_id]

    def of(self, chat: int) -> list[Shown]:
        return [message for (where, _), message in self.messages.items() if where == chat]

    def json(self, message: Shown, *, with_answered: bool = True) -> Json:
        body: Json = {
            "message_id": message.id, "date": message.date, "chat": self.chats[message.chat], "from": message.author
        }  # fmt: skip
        if message.sender_chat is not None:
            body["sender_chat"] = message.sender_chat
            body["from"] = AS_GROUP
        if message.mentions:
            body["entities"] = [_mention(message.text, user) for user in message.mentions]
        if message.forwarded_from is not None:
            body["forward_origin"] = {"type": "user", "date": message.date, "sender_user": message.forwarded_from}
        if message.contact is not None:
            body["contact"] = message.contact
        if message.topic is not None:
            body |= {"message_thread_id": message.topic, "is_topic_message": True}
        if message.photo is not None:
            body["photo"] = [{"file_id": "photo", "file_unique_id": "p", "width": 1, "height": 1}]
        if message.document is not None:
            body["document"] = message.document.json()
        if message.text:
            body["caption" if message.media else "text"] = message.text
        if message.buttons:
            body["reply_markup"] = {"inline_keyboard": message.buttons}
        # Each message of a topic answers the one that opened it, unless it answers another.
        opened = message.topic if message.topic is not None else 0
        answered = self.messages.get((message.chat, message.reply_to or opened))
        if with_answered and answered is not None:
            body["reply_to_message"] = self.json(answered, with_answered=False)
        return body

    def transcript(self, chat: int) -> str:
        """Return a chat as a person scrolls through it."""
        return "\n\n".join(_told(message) for message in self.of(chat))


def _mention(text: str, user: Json) -> Json:
    before, name, _ = text.partition(user["first_name"])
    offset, length = (len(part.encode("utf-16-le")) // 2 for part in (before, name))
    return {"type": "text_mention", "offset": offset, "length": length, "user": user}


def _told(message: Shown) -> str:
    edited = f" (edited {len(message.edits)}x)" if message.edits else ""
    return "\n".join([f"{message.author['first_name']}{edited}:", *on_screen(message)])


def on_screen(message: Shown) -> list[str]:
    """Return a message as a phone shows it; what can be copied with a tap stands behind a bar."""
    lines = ["[picture]"] if message.photo is not None else []
    lines += [f"[file {message.document.name}, {size(len(message.document.content))}]"] if message.document else []
    text = message.text
    for code in [code for tag, code in message.spans if tag == "pre"]:
        text = text.replace(code, "\n".join(f"│ {line}" for line in code.splitlines()), 1)
    return [*lines, *text.splitlines(), *("  ".join(f"[{it['text']}]" for it in row) for row in message.buttons)]
