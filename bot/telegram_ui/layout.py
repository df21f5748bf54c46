"""The words of a Reply as lines of Telegram's HTML, which a client wraps to its width. Pure."""

import html
import re

from bot.core.blocks import Bar, Block, Fields, Items, Note, Quote, Words, field_rows, groups, item_lines
from bot.core.reply import Reply
from bot.telegram_ui.place import TelegramPlace
from bot.words.format import bar, one_line, plain

UNLINKED = "@\u2060"  # an unseen word joiner, so that a name in somebody's data pings nobody
BESIDE = 44  # characters of short fields that stand in one line
NOTES_SHOWN = 2  # lines of small print; more are folded up
_NAMING = re.compile(r"@(?=\w)")
_PERSON = re.compile(r"\d{1,20}")


def lines(reply: Reply, place: TelegramPlace, *, room: int) -> list[str]:
    """Return title, summary and blocks, line by line. A single line has at most `room` characters."""
    title, summary = one_line(reply.title), [line for line in plain(reply.summary).split("\n") if line]
    head = [f"<b>{safe(cut(title, room))}</b>"] if title else []
    head += [safe(cut(line, room)) for line in summary]
    if head and reply.mention is not None and not place.private and _PERSON.fullmatch(reply.mention):
        head[0] = f'<a href="tg://user?id={reply.mention}">{head[0]}</a>'
    parts = [head, *([line for block in group for line in _block(block, room)] for group in groups(reply.blocks))]
    if not summary and len(parts) > 1:  # a title stands close above what it names
        parts = [[*parts[0], *parts[1]], *parts[2:]]
    return [line for part in parts if part for line in ["", *part]][1:]


def length(text: str) -> int:
    """Return a text's length as Telegram counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def safe(text: str) -> str:
    """Return text as HTML that shows it as it is: no style, no link, no ping."""
    return html.escape(_NAMING.sub(UNLINKED, plain(text)), quote=False)


def _block(block: Block, room: int) -> list[str]:
    match block:
        case Words(text=text, heading=heading):
            return [*_bold(heading), *(safe(cut(line, room)) for line in _split(text))]
        case Fields(heading=heading):
            rows = field_rows(block, BESIDE)
            return [*_bold(heading), *(" · ".join(_field(name, value, room) for name, value in row) for row in rows)]
        case Items(heading=heading):
            return [*_bold(heading), *(safe(cut(line, room)) for line in item_lines(block))]
        case Quote(words=words, by=by, folded=folded):
            tag = "<blockquote expandable>" if folded else "<blockquote>"
            return [*_bold(by), f"{tag}{safe(cut(plain(words).strip(), room // 2))}</blockquote>"]
        case Bar(part=part, whole=whole, beside=beside):
            return [safe(f"{bar(part, whole)} {one_line(beside)}".rstrip())]
        case Note(text=text):
            notes = [safe(cut(line, room)) for line in _split(text)]
            if len(notes) > NOTES_SHOWN:
                return ["<blockquote expandable>" + "\n".join(notes) + "</blockquote>"]
            return [f"<i>{line}</i>" for line in notes]


def _bold(text: str) -> list[str]:
    return [f"<b>{safe(one_line(text))}</b>"] if text else []


def _field(name: str, value: str, room: int) -> str:
    shown = safe(cut(one_line(value), room))
    return f"<b>{safe(one_line(name))}</b> {shown}" if name else shown


def _split(text: str) -> list[str]:
    return [line for line in plain(text).split("\n") if line.strip()]


def cut(text: str, room: int) -> str:
    """Cut a single line that is longer than `room`."""
    if length(text) <= room:
        return text
    kept = text[: max(room - 1, 0)]
    while length(kept) >= room:
        kept = kept[:-1]
    return kept + "…"
