"""What a card is made of below its title, without line breaks of its own: each front-end lays it out. Pure."""

from dataclasses import dataclass

from bot.words.format import bar


@dataclass(frozen=True, kw_only=True)
class Words:
    """Paragraphs, one a line."""

    text: str
    heading: str = ""


@dataclass(frozen=True, kw_only=True)
class Fields:
    """Names and their values: figures, mostly. A field without a name is a value that speaks for itself."""

    fields: tuple[tuple[str, str], ...]
    heading: str = ""


@dataclass(frozen=True, kw_only=True)
class Items:
    """A list. Each item is a line, and `below` it may stand one more."""

    items: tuple[str, ...]
    heading: str = ""
    below: tuple[str, ...] = ()  # as many as items, or none
    rest: str = ""  # what is said of those that are left out
    numbered: bool = False
    mark: str = "- "  # in front of an item that has no number


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What somebody said: a row of a dataset, an answer of a model."""

    words: str
    by: str = ""
    folded: bool = False  # long: shown whole on a tap, where the platform can


@dataclass(frozen=True, kw_only=True)
class Bar:
    """How far something is, and the words that stand beside it."""

    part: float
    whole: float
    beside: str = ""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Small print: true, useful, and nobody has to read it."""

    text: str


Block = Words | Fields | Items | Quote | Bar | Note


def read_aloud(block: Block) -> str:
    """Return a block as bare text: for whoever has no layout, and to see whether two cards say the same."""
    match block:
        case Words(text=text, heading=heading):
            return _under(heading, text)
        case Fields(fields=fields, heading=heading):
            return _under(heading, "\n".join(f"{name}: {value}" if name else value for name, value in fields if value))
        case Items(heading=heading):
            return _under(heading, "\n".join(item_lines(block)))
        case Quote(words=words, by=by):
            return f"{by}: {words}" if by else words
        case Bar(part=part, whole=whole, beside=beside):
            return f"{bar(part, whole)} {beside}".rstrip()
        case Note(text=text):
            return text


def groups(blocks: tuple[Block, ...]) -> list[list[Block]]:
    """Return the blocks that belong together: a bar and the figures under it, and the small print below them."""
    found: list[list[Block]] = []
    for block in blocks:
        last = found[-1][-1] if found else None
        together = isinstance(last, Bar) or (isinstance(block, Note) and isinstance(last, Fields))
        if together:
            found[-1].append(block)
        else:
            found.append([block])
    return found


def item_lines(block: Items) -> list[str]:
    """Return each item with its mark, and under it what stands below."""
    lines = []
    for number, item in enumerate(block.items, 1):
        mark = f"{number}. " if block.numbered else block.mark
        lines.append(f"{mark}{item}")
        if block.below and block.below[number - 1]:
            lines.append(" " * len(mark) + block.below[number - 1])
    return [*lines, f"… {block.rest}"] if block.rest else lines


def field_rows(block: Fields, width: int) -> list[list[tuple[str, str]]]:
    """Return the fields that have a value, short ones beside each other, as many as `width` characters hold."""
    rows: list[list[tuple[str, str]]] = []
    used = 0
    for name, value in block.fields:
        if not value:
            continue
        takes = len(name) + len(value) + 4  # a space between them, and what parts this one from the next
        if rows and used + takes <= width:
            rows[-1].append((name, value))
            used += takes
        else:
            rows.append([(name, value)])
            used = takes
    return rows


def _under(heading: str, text: str) -> str:
    return f"{heading}\n{text}" if heading else text
