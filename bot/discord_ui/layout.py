"""The words of a Reply as lines of Discord's Markdown, which a client wraps to its width. Pure."""

import re

from bot.core.blocks import Bar, Block, Fields, Items, Note, Quote, Words, field_rows, groups, item_lines
from bot.core.reply import Reply, Tone
from bot.discord_ui.markup import escape, moment
from bot.words.format import bar, one_line, plain

ACCENTS: dict[Tone, int | None] = {
    Tone.plain: None,
    Tone.waiting: 0x80848E,
    Tone.working: 0x5865F2,
    Tone.good: 0x23A55A,
    Tone.trouble: 0xF0B232,
    Tone.bad: 0xF23F43,
}
BESIDE = 44  # characters of short fields that stand in one line
_PERSON = re.compile(r"\d{1,20}")


def mentioned(reply: Reply) -> int | None:
    """Return the id of the one person that a message may notify."""
    return int(reply.mention) if reply.mention is not None and _PERSON.fullmatch(reply.mention) else None


def lines(reply: Reply) -> list[str]:
    """Return title, summary and blocks, line by line."""
    ticking = {plain(it.words): f"{escape(it.before)}{moment(it.at)}" for it in reply.moments}
    person = mentioned(reply)
    ping = f"<@{person}>" if person else ""
    title = one_line(reply.title)
    summary = [ticking.get(line) or escape(line) for line in plain(reply.summary).split("\n") if line]
    if title:
        head = [f"### {_inside(title)} {ping}".rstrip(), *summary]
    else:
        head = [f"{ping} {summary[0] if summary else ''}".strip(), *summary[1:]] if ping else summary
    below = [[line for block in group for line in _block(block, ticking)] for group in groups(reply.blocks)]
    parts = [head, *below]
    if not summary and len(parts) > 1:  # a title stands close above what it names
        parts = [[*parts[0], *parts[1]], *parts[2:]]
    return [line for part in parts if part for line in ["", *part]][1:]


def _block(block: Block, ticking: dict[str, str]) -> list[str]:
    def said(text: str) -> str:
        return ticking.get(plain(text)) or _inside(text)

    match block:
        case Words(text=text, heading=heading):
            return [*_heading(heading), *map(escape, _split(text))]
        case Fields(heading=heading):
            rows = field_rows(block, BESIDE)
            return [*_heading(heading), *(" · ".join(_field(name, said(value)) for name, value in row) for row in rows)]
        case Items(heading=heading):
            return [*_heading(heading), *(_item(line) for line in item_lines(block))]
        case Quote(words=words, by=by):
            return [*([f"> **{_inside(by)}**"] if by else []), *(f"> {escape(line)}" for line in _split(words))]
        case Bar(part=part, whole=whole, beside=beside):
            return [f"{bar(part, whole)} {said(beside)}".rstrip()]
        case Note(text=text):
            return [f"-# {_inside(line)}" for line in _split(text)]


def _heading(text: str) -> list[str]:
    return [f"**{_inside(text)}**"] if text else []


def _field(name: str, value: str) -> str:
    return f"**{_inside(name)}** {value}" if name else value


def _item(line: str) -> str:
    """Leave our own mark in front of an item alone; what follows is anybody's."""
    found = re.match(r"- |\d+\. ", line)
    if found is None:
        return escape(line)
    return f"{found[0]}{escape(one_line(line[found.end() :]))}"


def _inside(text: str) -> str:
    """Escape text that does not begin a line, so that what begins a list or a heading means nothing there."""
    return escape(f"x{one_line(text)}")[1:]


def _split(text: str) -> list[str]:
    return [line for line in plain(text).split("\n") if line.strip()]
