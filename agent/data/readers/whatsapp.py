"""What people said in a chat exported from WhatsApp as text, whose lines begin with the time as a phone writes it.

https://faq.whatsapp.com/1180414079177245 (export chat); the forms of the date are those of Android and iOS in a dozen
languages. Pure.
"""

import datetime
import re
from collections import Counter
from collections.abc import Iterable

from agent.data.readers.chat_export import ChatExport, ExportedMessage, speaker_name

_DAY = r"(?P<a>\d{1,4})\s?[./\-年]\s?(?P<b>\d{1,2})\s?[./\-月]\s?(?P<c>\d{1,4})日?\.?"
_TIME = r"(?P<before>[^\d\n\]]{0,14}?)(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
_AFTER = r"(?P<after>[^\d\n\]:]{0,10}?)"
LINE = re.compile(rf"^[\u200e\u200f\ufeff]*\[?{_DAY},?\s++{_TIME}{_AFTER}(?:\]\s?|\s-\s)(?P<rest>.*)$")
SPEAKER = re.compile(r"^[\u200e\u200f~\s]*(?P<who>[^:\n]{1,80}?):\s(?P<text>.*)$")
AFTERNOON = re.compile(r"p\.?\s?m|下午|午後|오후|م", re.IGNORECASE)
MORNING = re.compile(r"a\.?\s?m|上午|午前|오전|ص", re.IGNORECASE)
EDITED = re.compile(r"(?<!\s)\s*+\u200e?<[^<>]{3,40}>$")
NOTICE = re.compile(  # a medium that is not in the text, a file, a message that was taken back
    r"^\u200e|^<[^<>]{3,40}>$|^\S+\.\w{2,4} \([^()]{3,40}\)$|^null$"
    r"|^(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht "
    r"gelöscht|se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message"
    r"|mensagem apagada|essa mensagem foi apagada|questo messaggio è stato eliminato|dit bericht is verwijderd)\.?$",
    re.IGNORECASE,
)
OF_THE_APP = re.compile(  # what stands before a colon in what WhatsApp itself says: "Ada created group “Test: one”"
    r"[\"“”„«»]|\b(?:created|changed|added|removed|left|joined|renamed|deleted|pinned|turned|set|group|subject|admin"
    r"|erstellt|geändert|hinzugefügt|entfernt|verlassen|beigetreten|gelöscht|angeheftet|gruppe|betreff|gruppenbild"
    r"|gruppenbeschreibung)\b",
    re.IGNORECASE,
)
NAME_WORDS = 3  # at least, of a name that may be such a sentence: “Gruppe Süd” may speak
ENOUGH = 2  # lines of this form with a name, in the beginning of a file


def looks_like_whatsapp(head: str) -> bool:
    """Say whether a text begins as such an export does: its first line has a date, and soon somebody speaks."""
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    if not lines or not LINE.match(lines[0]):
        return False
    return (
        sum((found := LINE.match(line)) is not None and bool(SPEAKER.match(found["rest"])) for line in lines) >= ENOUGH
    )


def read_whatsapp(lines: Iterable[str]) -> ChatExport:
    """Return what is said; lines without a date belong to the message before them."""
    found: list[tuple[int, re.Match[str], str, list[str]]] = []
    speaking = False
    for number, line in enumerate(lines, start=1):
        if started := LINE.match(line):
            spoken = SPEAKER.match(started["rest"])
            speaking = spoken is not None  # otherwise it is the app that speaks
            if spoken is not None:
                found.append((number, started, speaker_name(spoken["who"]), [spoken["text"]]))
        elif speaking:
            found[-1][3].append(line)
    spoken_by = Counter(who for _, _, who, _ in found)
    found = [it for it in found if spoken_by[it[2]] > 1 or not _is_of_the_app(it[2])]
    day, month, year = _order([(int(it["a"]), int(it["b"]), int(it["c"])) for _, it, _, _ in found])
    said = []
    for number, started, who, texts in found:
        text = EDITED.sub("", "\n".join(texts).strip()).strip()
        if text and not NOTICE.match(texts[0].strip() if len(texts) == 1 else text):
            at = _moment(int(started[year]), int(started[month]), int(started[day]), started)
            said.append(ExportedMessage(line=number, at=at, who=who, text=text))
    return ChatExport(said=said, names={it.who: {it.who} for it in said}, unit="Line")


def _is_of_the_app(who: str) -> bool:
    """Say whether the name of somebody who speaks once is the beginning of what WhatsApp itself says."""
    return len(who.split()) >= NAME_WORDS and OF_THE_APP.search(who) is not None


def _order(days: list[tuple[int, int, int]]) -> tuple[str, str, str]:
    """Return under which letters day, month and year stand: told by the numbers of the whole file."""
    if any(first > 31 for first, _, _ in days):
        return "c", "b", "a"
    if any(second > 12 for _, second, _ in days):
        return "b", "a", "c"
    return "a", "b", "c"


def _moment(year: int, month: int, day: int, started: re.Match[str]) -> float | None:
    hour, marks = int(started["hour"]), f"{started['before']} {started['after']}"
    if AFTERNOON.search(marks) and hour < 12:
        hour += 12
    elif MORNING.search(marks) and hour == 12:
        hour = 0
    try:
        full = year + 2000 if year < 100 else year
        moment = datetime.datetime(full, month, day, hour, int(started["minute"]), tzinfo=datetime.UTC)
    except ValueError:
        return None
    return moment.timestamp()
