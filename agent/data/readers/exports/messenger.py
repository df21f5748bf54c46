"""Chats that Meta hands out: Messenger's and Instagram's message_1.json, and Messenger's end-to-end encrypted ones.

The messages of a file come newest first. In the older form a UTF-8 text stands as if each of its bytes were a
character of Latin-1.
"""

import re
from typing import Any

from agent.data.readers.chat_export import ChatExport, ExportedMessage, moment, speaker_name
from agent.data.readers.exports.export import Row

_NOTICE = re.compile(  # what the app writes into a content by itself, in the languages that are told
    r"(?:.{0,80} (?:sent|shared) (?:an attachment|a (?:photo|video|GIF|sticker|voice message|link|post|story|reel))\.?"
    r"|(?:.{0,80} )?reacted .{1,12} to (?:your|a) message"
    r"|(?:.{0,80} )?liked a message"
    r"|.{0,80}(?:missed|started) (?:a|an|your) (?:video |audio )?(?:call|chat)(?: with .{0,80})?\.?"
    r"|(?:audio|video) call ended\.?"
    r"|.{0,80} unsent a message\.?"
    r"|(?:Du hast|.{0,80} hat) (?:einen Anhang|ein Foto|ein Video|einen Sticker) gesendet\.?"
    r"|(?:.{0,80} )?(?:hat mit|reagierte mit) .{1,12} auf (?:deine|eine) Nachricht(?: reagiert)?\.?)",
    re.IGNORECASE,
)


def is_thread(first: list[Row]) -> bool:
    """Say whether a file is one thread."""
    messages = first[0].get("messages")
    return (
        "participants" in first[0]
        and isinstance(messages, list)
        and any(isinstance(it, dict) and ("sender_name" in it or "senderName" in it) for it in messages)
    )


def read_thread(whole: Row) -> ChatExport:
    """Return what is said in a thread, the oldest first."""
    names: dict[str, set[str]] = {}
    for person in whole["participants"] if isinstance(whole["participants"], list) else []:
        _meet(person.get("name") if isinstance(person, dict) else person, names)
    said = []
    for number, message in enumerate(whole["messages"], start=1):
        if not isinstance(message, dict):
            continue
        who = _meet(message.get("sender_name") or message.get("senderName"), names)
        text = _mended(message["content"]) if isinstance(message.get("content"), str) else message.get("text")
        if who is None or not isinstance(text, str) or message.get("is_unsent") or message.get("isUnsent"):
            continue
        if text.strip() and not _NOTICE.fullmatch(text.strip()):
            at = moment(message.get("timestamp_ms", message.get("timestamp")))
            said.append(ExportedMessage(line=number, at=at, who=who, text=text.strip()))
    if all(it.at is not None for it in said):
        said.sort(key=lambda it: (it.at or 0.0, -it.line))
    else:
        said.reverse()
    return ChatExport(said=said, names=names)


def _meet(name: Any, names: dict[str, set[str]]) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return None
    known = speaker_name(_mended(name))
    names.setdefault(known, {known})
    return known


def _mended(text: str) -> str:
    """Return a text whose characters are the bytes of UTF-8 as what it says; any other as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
