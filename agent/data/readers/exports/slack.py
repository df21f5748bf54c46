"""Chats from Slack's export: the messages of a channel, or of one of its days, as a JSON array."""

import html
import re
from collections.abc import Iterable

from agent.data.readers.chat_export import ChatExport, ExportedMessage, SpeakerNames, moment, names_of
from agent.data.readers.exports.export import Row

SPOKEN = (None, "thread_broadcast", "me_message", "bot_message", "file_share", "reply_broadcast")  # subtypes
_REFERENCE = re.compile(r"<([@#!]?)([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")


def is_channel(first: list[Row]) -> bool:
    """Say whether rows are messages of a channel, or one row holds them."""
    rows = _messages(first)
    return bool(rows) and all(it.get("type") == "message" and _is_of_slack(it) for it in rows[:20])


def _messages(rows: Iterable[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        inside = row.get("messages") if "type" not in row else None
        found += [it for it in inside if isinstance(it, dict)] if isinstance(inside, list) else [row]
    return found


def _is_of_slack(row: Row) -> bool:
    at = row.get("ts")
    return isinstance(at, str) and at.replace(".", "", 1).isdecimal() and ("user" in row or "subtype" in row or "bot_id" in row)  # fmt: skip  # noqa: E501


def read_channel(rows: Iterable[Row]) -> ChatExport:
    """Return what is said, each thread behind the message that began it."""
    messages = _messages(rows)
    ids, names = _people(messages)
    threads: dict[str, int] = {}
    said: list[tuple[tuple[float, float, int], ExportedMessage]] = []
    for number, message in enumerate(messages, start=1):
        who, at = ids.get(_key(message)), moment(message.get("ts"))
        text = message.get("text")
        if who is None or message.get("subtype") not in SPOKEN or not isinstance(text, str) or not text.strip():
            continue
        thread = message.get("thread_ts")
        room = threads.setdefault(str(thread), len(threads) + 1) if thread else 0
        begun = moment(thread)
        shown = _plain(text, ids, names).strip()
        spoken = ExportedMessage(line=number, at=at, who=who, text=shown, room=room)
        said.append(((at if begun is None else begun, at or 0.0, number), spoken))  # type: ignore[arg-type]  # ts is one
    return ChatExport(said=[it for _order, it in sorted(said, key=lambda it: it[0])], names=names)


def _people(messages: list[Row]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return by which name each id goes, which many of its messages leave out, and what everybody is called."""
    called: dict[str, list[str]] = {}
    for message in messages:
        if key := _key(message):
            profile = message.get("user_profile")
            known = names_of(profile if isinstance(profile, dict) else {}, "display_name", "real_name", "name")
            called.setdefault(key, []).extend(known or names_of(message, "username"))
    people = SpeakerNames()
    return {key: people.known(key, [*names, key]) for key, names in called.items()}, people.names


def _key(message: Row) -> str:
    """Return the id of who speaks; a bot has one of its own, or a name alone."""
    key = message.get("user") or message.get("bot_id") or message.get("username")
    return key if isinstance(key, str) else ""


def _plain(text: str, ids: dict[str, str], names: dict[str, set[str]]) -> str:
    """Return a text without Slack's marks: people by their names, links by what they are called."""

    def said(found: re.Match[str]) -> str:
        mark, target, label = found[1], found[2], found[3]
        if mark == "@":
            name = ids.get(target) or label or target
            names.setdefault(name, {name, target})
            return f"@{name}"
        if mark == "!":
            return f"@{label or target.split('^')[0]}"
        return f"#{label or target}" if mark else label or target

    return html.unescape(_REFERENCE.sub(said, text))
