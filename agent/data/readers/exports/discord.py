"""Chats from DiscordChatExporter: its JSON, its plain text and its HTML; its CSV is a table of messages.

https://github.com/Tyrrrz/DiscordChatExporter
"""

import re
from typing import Any

from agent.data.readers.chat_export import ChatExport, ExportedMessage, SpeakerNames, moment, names_of, speaker_name
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.dates import Dates
from agent.data.readers.exports.export import Row, whole_text
from agent.data.readers.exports.html_chat import Classes, messages

SPOKEN = ("Default", "Reply", None)  # types of a message; others tell who joined, pinned or called
_RULER = re.compile(r"^={20,}\s*$", re.MULTILINE)
_HEADER = re.compile(r"^\[(?P<at>[^\]\n]{5,40})\] (?P<who>[^\n]{1,200}?)(?: \(pinned\))?$")
_SECTION = re.compile(r"^\{(?:Attachments|Embed|Reactions|Stickers|Forwarded Message)\}$")
_BY_A_BOT = re.compile(r" via @\w+$")  # behind the name of who asked it
HTML = Classes(
    message=frozenset({"chatlog__message", "chatlog__message-group"}),
    who=frozenset({"chatlog__author", "chatlog__author-name"}),  # newer versions and older ones
    at="chatlog__timestamp", text="chatlog__content", mention="chatlog__markdown-mention",
    none=frozenset({
        "chatlog__reply", "chatlog__reference", "chatlog__embed", "chatlog__attachment", "chatlog__reactions",
        "chatlog__edited-timestamp", "chatlog__system-notification", "chatlog__forwarded", "chatlog__author-tag",
        "chatlog__bot-label", "preamble", "postamble",
    }),
)  # fmt: skip


def is_json(first: list[Row]) -> bool:
    """Say whether a file is one channel as JSON."""
    return isinstance(first[0].get("channel"), dict) and isinstance(first[0].get("messages"), list)


def read_json(whole: Row) -> ChatExport:
    """Return what is said in a channel."""
    people = SpeakerNames()
    said = []
    for number, message in enumerate(whole["messages"], start=1):
        if not isinstance(message, dict) or not isinstance(author := message.get("author"), dict):
            continue
        who = _meet(people, author)
        for mentioned in message.get("mentions") or []:
            if isinstance(mentioned, dict):
                _meet(people, mentioned)
        text = message.get("content")
        if message.get("type") in SPOKEN and isinstance(text, str) and text.strip():
            said.append(ExportedMessage(line=number, at=moment(message.get("timestamp")), who=who, text=text.strip()))
    return ChatExport(said=said, names=people.names)


def _meet(people: SpeakerNames, person: dict[str, Any]) -> str:
    called = names_of(person, "nickname", "name")
    return people.known(str(person.get("id") or called), called)


def is_text(head: str) -> bool:
    """Say whether a text begins with the frame that names server and channel."""
    top = _RULER.split(head[:4000], maxsplit=2)
    return len(top) > 2 and not top[0].strip() and "\nGuild: " in top[1] and "\nChannel: " in top[1]


def read_text(upload: Upload, decoder: Decoder) -> ChatExport:
    """Return what is said in a channel that was exported as plain text."""
    found: list[tuple[int, str, str, list[str]]] = []
    speaking, empty = False, True
    for number, line in enumerate(whole_text(upload, decoder).splitlines(), start=1):
        if empty and (header := _HEADER.match(line)):
            found.append((number, header["at"], speaker_name(header["who"]), []))
            speaking = True
        elif _SECTION.match(line) or _RULER.match(line):
            speaking = False
        elif speaking:
            found[-1][3].append(line)
        empty = not line.strip()
    dates = Dates(at for _line, at, _who, _text in found)
    said = [
        ExportedMessage(line=line, at=dates.moment(at), who=who, text=text)
        for line, at, who, lines in found
        if (text := "\n".join(lines).strip())
    ]
    return ChatExport(said=said, names={it.who: {it.who} for it in said}, unit="Line")


def is_html(head: str) -> bool:
    """Say whether a page is a channel."""
    return "chatlog__message" in head or 'class="chatlog"' in head or "class=chatlog>" in head


def read_html(upload: Upload, decoder: Decoder) -> ChatExport:
    """Return what is said in a channel that was exported as HTML."""
    return read_page(whole_text(upload, decoder), HTML)


def read_page(html: str, classes: Classes) -> ChatExport:
    """Return what is said on a page; who is not named anew speaks on."""
    found = messages(html, classes)
    dates = Dates(it.at for it in found)
    said, names, who, at = list[ExportedMessage](), dict[str, set[str]](), "", None
    for it in found:
        who = speaker_name(_BY_A_BOT.sub("", it.who)) if it.who else who
        at = dates.moment(it.at) if it.at else at
        if who and (text := it.text):
            said.append(ExportedMessage(line=it.line, at=at, who=who, text=text))
            names.setdefault(who, {who})
        for mentioned in it.mentions:
            name = speaker_name(mentioned.removeprefix("@"))
            names.setdefault(name, {name})
    return ChatExport(said=said, names=names, unit="Line")
