"""Chats from iMessage as text, as imessage-exporter writes them: a time, who speaks, the words, an empty line.

https://github.com/ReagentX/imessage-exporter
"""

import re

from agent.data.readers.chat_export import ChatExport, ExportedMessage, speaker_name
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.dates import Dates
from agent.data.readers.exports.export import whole_text

_WHEN = re.compile(r"^(?P<at>[A-Z][a-z]{2} \d{1,2}, \d{4}\s{1,2}\d{1,2}:\d{2}:\d{2}\s?[AP]M)(?P<rest>.*)$")
_ASIDE = re.compile(  # a line that nobody wrote
    r"^(?:This message responded to an earlier message\.|Sent with .{1,40}|Edited .{1,80}|Tapbacks:|Stickers:"
    r"|(?:~|/|[A-Z]:\\).{0,400}[/\\]Attachments[/\\].{1,300}|attachments/.{1,300}|Attachment missing!?"
    r"|This message was deleted from the conversation!|(?:Started|Stopped) sharing location!|SharePlay Message|Ended"
    r"|.{0,80} unsent (?:this|a) message.{0,80}|iMessage app message.*|\[.{0,40} (?:App|Pay|Call).{0,40}\])$"
)
_REACTIONS = ("Tapbacks:", "Stickers:")
ENOUGH = 2


def is_text(head: str) -> bool:
    """Say whether a text begins with such a time, and has more of them."""
    lines = [line for line in head.splitlines()[:400] if line.strip()]
    whens = [when for line in lines if (when := _WHEN.match(line))]
    return bool(whens) and whens[0].string == lines[0] and sum(map(_is_spoken, whens)) >= ENOUGH


def _is_spoken(when: re.Match[str]) -> bool:
    """Say whether words of a person follow, not a notice in the same line."""
    rest = when["rest"].strip()
    return not rest or (rest.startswith("(") and rest.endswith(")"))


def read_text(upload: Upload, decoder: Decoder) -> ChatExport:
    """Return what is said. A reply stands a second time, indented, under what it answers: there it is left out."""
    found: list[tuple[int, str, str, list[str]]] = []
    wants_name = speaking = False
    for number, line in enumerate(whole_text(upload, decoder).splitlines(), start=1):
        if when := _WHEN.match(line):
            wants_name = speaking = _is_spoken(when)
            if speaking:
                found.append((number, when["at"], "", []))
        elif wants_name:
            wants_name = False
            found[-1] = (*found[-1][:2], speaker_name(line) if line.strip() else "", found[-1][3])
        elif line.strip() in _REACTIONS:
            speaking = False
        elif speaking and found and not line.startswith("    ") and not _ASIDE.match(line.strip()):
            found[-1][3].append(line)
    dates = Dates(at for _line, at, _who, _text in found)
    said = [
        ExportedMessage(line=line, at=dates.moment(at), who=who, text=text)
        for line, at, who, lines in found
        if who and (text := "\n".join(lines).strip())
    ]
    return ChatExport(said=said, names={it.who: {it.who} for it in said}, unit="Line")
