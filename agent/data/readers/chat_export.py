"""What people said in a chat, from the exports of Discord (DiscordChatExporter) and Telegram. Pure; nothing is judged.

Who is who, and what becomes of it, is decided in `talks`.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.data.quoting import UNSEEN

NAME_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class ExportedMessage:
    """One message of one person."""

    line: int  # of the file; in JSON the number of the message
    at: float | None  # seconds since 1970, or at least since some fixed moment
    who: str
    text: str
    room: int = 0  # an export may hold several chats


@dataclass(frozen=True, kw_only=True)
class ChatExport:
    """All that was said, and how people are called in it."""

    said: list[ExportedMessage]
    names: dict[str, set[str]] = field(default_factory=dict)  # who → what they are called, in messages of others too
    unit: Literal["Line", "Row"] = "Row"  # what `line` counts


def read_export(whole: Any) -> ChatExport | None:
    """Return what is said in a parsed JSON file, or None if it is no chat export."""
    if not isinstance(whole, dict):
        return None
    if isinstance(whole.get("channel"), dict) and isinstance(whole.get("messages"), list):
        return _discord(whole["messages"])
    if _is_telegram(whole):
        return _telegram([whole])
    chats = whole.get("chats")
    listed = chats.get("list") if isinstance(chats, dict) else None
    return _telegram(list(filter(_is_telegram, listed))) if isinstance(listed, list) else None


def _is_telegram(chat: Any) -> bool:
    messages = chat.get("messages") if isinstance(chat, dict) else None
    return isinstance(messages, list) and any(  # a group may begin with hundreds of people who join
        isinstance(it, dict) and it.get("type") == "message" and "from_id" in it for it in messages
    )


def _discord(messages: list[Any]) -> ChatExport:
    people = _People()
    said = []
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict) or not isinstance(author := message.get("author"), dict):
            continue
        who = people.meet(author)
        for mentioned in message.get("mentions") or []:
            if isinstance(mentioned, dict):
                people.meet(mentioned)
        text = message.get("content")
        if message.get("type") in ("Default", "Reply", None) and isinstance(text, str) and text.strip():
            said.append(ExportedMessage(line=number, at=_moment(message.get("timestamp")), who=who, text=text.strip()))
    return ChatExport(said=said, names=people.names)


def speaker_name(raw: object) -> str:
    """Return a name as it can be shown, typed and stored: one line of what can be seen, ? where there is nothing."""
    visible = UNSEEN.sub("", str(raw or "")).encode("utf-8", "ignore").decode()
    return " ".join(visible.split())[:NAME_CHARS] or "?"


class _People:
    """People by their ids: two may have the same name."""

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._next: dict[str, int] = {}  # by name, the number of whoever has it next
        self.names: dict[str, set[str]] = {}

    def meet(self, person: dict[str, Any]) -> str:
        """Return by which name one of Discord's people goes here."""
        called = [name for key in ("nickname", "name") if isinstance(name := person.get(key), str) and name.strip()]
        return self.known(str(person.get("id") or called), called)

    def known(self, key: str, called: list[str]) -> str:
        """Return by which name goes whoever has this id, and is called so: the first name that is heard."""
        if key not in self._by_id:
            name = shown = speaker_name(next(iter(called), None))
            while shown in self.names:
                number = self._next.get(name, 2)
                shown, self._next[name] = f"{name} ({number})", number + 1
            self._by_id[key] = shown
        self.names.setdefault(self._by_id[key], set()).update(called)
        return self._by_id[key]


def _telegram(chats: list[dict[str, Any]]) -> ChatExport:
    said: list[ExportedMessage] = []
    people = _People()
    mentioned: dict[str, set[str]] = {}
    number = 0
    for room, chat in enumerate(chats):
        for message in chat["messages"]:
            number += 1
            if not isinstance(message, dict) or message.get("type") != "message" or "forwarded_from" in message:
                continue  # a service message, or the words of somebody else
            who = _telegram_person(message, people)
            text = "".join(_pieces(message.get("text"), mentioned)).strip()
            if text:
                said.append(ExportedMessage(line=number, at=_telegram_moment(message), who=who, text=text, room=room))
    return ChatExport(said=said, names=mentioned | people.names)


def _telegram_person(message: dict[str, Any], people: _People) -> str:
    """Return who speaks. Old exports have names alone; a deleted account has an id alone."""
    name, key = message.get("from"), message.get("from_id")
    called = [speaker_name(name)] if isinstance(name, str) and name.strip() else []
    return people.known(str(key or called), called or [speaker_name(key)])


def _pieces(text: Any, names: dict[str, set[str]]) -> Iterator[str]:
    """Yield the pieces of a Telegram text; whom it mentions is a person, too."""
    for piece in text if isinstance(text, list) else [text]:
        words = piece.get("text") if isinstance(piece, dict) else piece
        if not isinstance(words, str):
            continue
        if isinstance(piece, dict) and piece.get("type") in ("mention", "mention_name"):
            names.setdefault(words, {words})
        yield words


def _telegram_moment(message: dict[str, Any]) -> float | None:
    seconds = message.get("date_unixtime")
    return float(seconds) if isinstance(seconds, str) and seconds.isdecimal() else _moment(message.get("date"))


def _moment(text: Any) -> float | None:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
