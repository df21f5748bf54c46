"""Chats from Telegram Desktop: result.json of one chat or of all, and the pages of its HTML."""

from collections.abc import Iterator
from typing import Any

from agent.data.readers.chat_export import ChatExport, ExportedMessage, SpeakerNames, moment, speaker_name
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.discord import read_page
from agent.data.readers.exports.export import Row, whole_text
from agent.data.readers.exports.html_chat import Classes

HTML = Classes(
    message=frozenset({"message"}), who=frozenset({"from_name"}), at="date", text="text", mention="mention",
    none=frozenset({"service", "forwarded", "reply_to", "media_wrap", "reactions", "userpic_wrap", "page_header",
                    "via_bot", "signature", "game_wrap"}),
)  # fmt: skip


def is_json(first: list[Row]) -> bool:
    """Say whether a file is a chat, or holds several."""
    return bool(_chats(first[0]))


def _chats(whole: Row) -> list[dict[str, Any]]:
    chats = whole.get("chats")
    listed = chats.get("list") if isinstance(chats, dict) else None
    return [chat for chat in (listed if isinstance(listed, list) else [whole]) if _is_chat(chat)]


def _is_chat(chat: Any) -> bool:
    messages = chat.get("messages") if isinstance(chat, dict) else None
    return isinstance(messages, list) and any(  # a group may begin with hundreds of people who join
        isinstance(it, dict) and it.get("type") == "message" and ("from_id" in it or "from" in it) for it in messages
    )


def read_json(whole: Row) -> ChatExport:
    """Return what is said in all chats of a file."""
    said: list[ExportedMessage] = []
    people = SpeakerNames()
    mentioned: dict[str, set[str]] = {}
    number = 0
    for room, chat in enumerate(_chats(whole)):
        for message in chat["messages"]:
            number += 1
            if not isinstance(message, dict) or message.get("type") != "message" or "forwarded_from" in message:
                continue  # a service message, or the words of somebody else
            who = _person(message, people)
            text = "".join(_pieces(message.get("text"), mentioned)).strip()
            if text:
                at = moment(message.get("date_unixtime"))
                at = moment(message.get("date")) if at is None else at
                said.append(ExportedMessage(line=number, at=at, who=who, text=text, room=room))
    return ChatExport(said=said, names=mentioned | people.names)


def _person(message: dict[str, Any], people: SpeakerNames) -> str:
    """Return who speaks. Old exports have names alone; a deleted account has an id alone."""
    name, key = message.get("from"), message.get("from_id")
    called = [speaker_name(name)] if isinstance(name, str) and name.strip() else []
    return people.known(str(key or called), called or [speaker_name(key)])


def _pieces(text: Any, names: dict[str, set[str]]) -> Iterator[str]:
    """Yield the pieces of a text; whom it mentions is a person, too."""
    for piece in text if isinstance(text, list) else [text]:
        words = piece.get("text") if isinstance(piece, dict) else piece
        if not isinstance(words, str):
            continue
        if isinstance(piece, dict) and piece.get("type") in ("mention", "mention_name"):
            names.setdefault(words, {words})
        yield words


def is_html(head: str) -> bool:
    """Say whether a page is one of a chat's."""
    return 'class="message ' in head and ("from_name" in head or "chat_page" in head)


def read_html(upload: Upload, decoder: Decoder) -> ChatExport:
    """Return what is said on a page of a chat."""
    return read_page(whole_text(upload, decoder), HTML)
