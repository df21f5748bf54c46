"""The words of a Reply as lines of a terminal, of the width and in the colours that it has. Pure."""

import re
import textwrap
from dataclasses import dataclass

from bot.core.blocks import Bar, Block, Fields, Items, Note, Quote, Words, groups, item_lines
from bot.core.reply import Reply, Tone
from bot.words.format import bar, one_line, plain

_BEGINNING = re.compile(r"\s*(?:[-›‼!?•]|\d+\.)?\s*")  # what stands before the words of a line
_STYLE = re.compile(r"\x1b\[[\d;]*m")
NARROWEST_BAR, WIDEST_BAR = 10, 30  # cells
BOLD, DIM, USUAL = "1", "2", "0"
COLOURS = {Tone.waiting: "36", Tone.working: "34", Tone.good: "32", Tone.trouble: "33", Tone.bad: "31"}


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a screen can show."""

    width: int  # characters of a line
    coloured: bool


PIPE = Look(width=40, coloured=False)  # of a pipe nobody knows how wide it is shown


def words(reply: Reply, look: Look) -> str:
    """Return title, summary and blocks."""
    title = fitted(one_line(reply.title), look.width)
    head = [_styled(title, f"{BOLD};{COLOURS.get(reply.tone, USUAL)}", look)] if title else []
    head += [fitted(reply.summary, look.width)] if reply.summary else []
    below = ["\n".join(_block(block, look) for block in group) for group in groups(reply.blocks)]
    if not reply.summary and below:  # a title stands close above what it names
        head, below = [*head, below[0]], below[1:]
    return "\n\n".join(filter(None, ["\n".join(head), *below]))


def fitted(text: str, width: int = PIPE.width) -> str:
    """Return text whose lines fit the screen; what goes on below hangs under the words of its line."""
    return "\n".join(part for line in plain(text).split("\n") for part in (_broken(line, width) or [""]))


def in_rows(parts: list[str], width: int) -> str:
    """Return short texts beside each other, as many as a line holds."""
    rows = [""]
    for part in parts:
        beside = f"{rows[-1]}  {part}" if rows[-1] else part
        rows = [*rows[:-1], beside] if len(beside) <= width else [*rows, part]
    return "\n".join(row for row in rows if row)


def unstyled(text: str) -> str:
    """Return text without our own colours, as many characters as it takes on a screen."""
    return _STYLE.sub("", text)


def _block(block: Block, look: Look) -> str:
    match block:
        case Words(text=text, heading=heading):
            return _under(heading, fitted(text, look.width), look)
        case Fields(fields=fields, heading=heading):
            told = [one_line(f"{name}: {value}" if name else value) for name, value in fields if value]
            lines = [part for line in told for part in textwrap.wrap(line, look.width, subsequent_indent="  ")]
            return _under(heading, "\n".join(lines), look)
        case Items(heading=heading):
            return _under(heading, fitted("\n".join(item_lines(block)), look.width), look)
        case Quote(words=said, by=by):
            lines = [line for line in fitted(said, look.width - 2).split("\n") if line.strip()]
            return _under(by, "\n".join(f"│ {line}" for line in lines), look)
        case Bar(part=part, whole=whole, beside=beside):
            room = min(WIDEST_BAR, look.width - len(beside) - 1)
            if room < NARROWEST_BAR:
                return f"{bar(part, whole, width=min(WIDEST_BAR, look.width))}\n{fitted(one_line(beside), look.width)}"
            return f"{bar(part, whole, width=room)} {one_line(beside)}".rstrip()
        case Note(text=text):
            return _styled(fitted(text, look.width), DIM, look)


def _under(heading: str, text: str, look: Look) -> str:
    return f"{_styled(fitted(heading, look.width), BOLD, look)}\n{text}" if heading else text


def _styled(text: str, style: str, look: Look) -> str:
    return "\n".join(f"\x1b[{style}m{line}\x1b[0m" for line in text.split("\n")) if look.coloured and text else text


def _broken(line: str, width: int) -> list[str]:
    """Return a line as lines that fit, parted between two facts if it has several, else between words."""
    if len(line) > width and " · " in line:
        rows = [""]
        for fact in line.split(" · "):
            beside = f"{rows[-1]} · {fact}" if rows[-1] else fact
            rows = [*rows[:-1], beside] if len(beside) <= width else [*rows, fact]
        return [part for row in rows for part in _wrapped(row, width)]
    return _wrapped(line, width)


def _wrapped(line: str, width: int) -> list[str]:
    begins = _BEGINNING.match(line)
    hanging = " " * (len(begins[0]) if begins is not None else 0)
    return textwrap.wrap(line, width, subsequent_indent=hanging, break_on_hyphens=False)
