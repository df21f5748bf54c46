"""Chats as text of which only this is known: lines begin with a time, and a name stands before what is said.

So write IRC clients, LINE, Zoom, Signal's viewers and many scripts. Lines without a time belong to the message before.
"""

import re

from agent.data.readers.chat_export import ChatExport, ExportedMessage, speaker_name
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.dates import Dates
from agent.data.readers.exports.export import whole_text

_LINE = re.compile(
    r"^[\[(]?(?P<at>[\d./\-T, ]{0,24}?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?Z?(?: ?[AaPp]\.?[Mm]\.?)?)[\])]?[ \t\-–—:|]+"
    r"(?:<[@+%&~ ]?(?P<nick>[^<>\s]{1,40})>\s|(?P<who>[^:\t\n<>]{1,60}?)(?::\s|\t))\s*(?P<text>\S.*)$"
)
_LEVEL = re.compile(r"\W*(?:trace|debug|info|notice|warn(?:ing)?|error|critical|fatal)\W*", re.IGNORECASE)
LOOKED_AT = 200  # lines
ENOUGH = 6  # of them begin a message
MOSTLY = 0.5


def is_text(head: str) -> bool:
    """Say whether most lines are messages, of few who speak again and again; lines of a program's log are not."""
    lines = [line for line in head.splitlines()[:LOOKED_AT] if line.strip()]
    found = [_who(begun) for line in lines if (begun := _LINE.match(line))]
    if len(found) < max(ENOUGH, MOSTLY * len(lines)) or _is_header(lines[0]):
        return False
    speakers = set(found)
    again = 2 <= len(speakers) <= max(2, MOSTLY * len(found))
    return again and not any(_LEVEL.fullmatch(who.split()[-1]) for who in speakers)


def _is_header(line: str) -> bool:
    """Say whether a line names the columns of a table, which is read as one."""
    return "\t" in line and not _LINE.match(line)


def _who(line: re.Match[str]) -> str:
    return speaker_name(line["nick"] or line["who"])


def read_text(upload: Upload, decoder: Decoder) -> ChatExport:
    """Return what is said."""
    found: list[tuple[int, str, str, list[str]]] = []
    for number, line in enumerate(whole_text(upload, decoder).splitlines(), start=1):
        if begun := _LINE.match(line):
            found.append((number, begun["at"].strip(), _who(begun), [begun["text"]]))
        elif found:
            found[-1][3].append(line)
    dates = Dates(at for _line, at, _who, _text in found)
    said = [
        ExportedMessage(line=line, at=dates.moment(at), who=who, text="\n".join(lines).strip())
        for line, at, who, lines in found
    ]
    return ChatExport(said=said, names={it.who: {it.who} for it in said}, unit="Line")
