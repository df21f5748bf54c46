"""Plain text and Markdown, read in pieces, and cut into passages of the model's length for continued pre-training."""

import codecs
import re
from collections.abc import Iterator
from itertools import pairwise

from agent.data.chat_template import ChatTemplate
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder, not_utf8
from agent.data.readers.raw_row import RawRow

PIECE_BYTES = 1 << 16  # read, and tokenized, at once
SHORTEST = 128  # tokens of a passage
PASSAGES = 32  # of a short text, so that some can be held out; longer ones have longer passages
SPARE = 8  # tokens: a passage that is tokenized by itself may have a few more
LOOK_BACK = 0.3  # of a passage may be given up to end it well
_ENDS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?。！？]['”\")]*\s"), re.compile(r"\s"))


def read_pieces(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    """Yield a text in pieces that end with a paragraph, or at least with a line where lines are short."""
    with upload.open() as file:
        rest, line = b"", 1
        while data := file.read(PIECE_BYTES):
            begin = data if line > 1 or rest else data.removeprefix(codecs.BOM_UTF8)
            whole = rest + begin.replace(b"\r\n", b"\n")
            end = _end_of_piece(whole) if len(data) == PIECE_BYTES else len(whole)
            yield from _piece(whole[:end], line, decoder)
            line += whole[:end].count(b"\n")
            rest = whole[end:]
        yield from _piece(rest, line, decoder)


def _end_of_piece(data: bytes) -> int:
    for mark in (b"\n\n", b"\n", b" "):
        if end := data.rfind(mark) + 1:
            return end + len(mark) - 1
    end = len(data)  # not a single space: cut between two characters, of which none has more than four bytes
    while end > len(data) - 3 and data[end - 1] & 0xC0 == 0x80:
        end -= 1
    return max(0, end - 1)


def _piece(data: bytes, line: int, decoder: Decoder) -> Iterator[RawRow]:
    """Yield a piece as one text; where lines of it are no text, these and what stands between them."""
    try:
        yield from _text([decoder.line(data, line)], line)
    except UnicodeDecodeError:
        good: list[str] = []
        for number, one in enumerate(data.split(b"\n"), start=line):
            try:
                good.append(decoder.line(one, number))
            except UnicodeDecodeError as error:
                yield from _text(good, number - len(good))
                yield RawRow(line=number, value=None, problem=not_utf8(error))
                good = []
        yield from _text(good, number + 1 - len(good))


def _text(lines: list[str], first: int) -> Iterator[RawRow]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield RawRow(line=first, value={"text": text})


def passage_length(texts: Iterator[str], template: ChatTemplate, longest: int) -> int:
    """Return how many tokens a passage has: `longest`, or less where the whole text is short."""
    tokens = 0
    for text in texts:
        tokens += len(template.offsets(text))
        if tokens >= longest * PASSAGES:
            return longest
    return min(longest, max(SHORTEST, tokens // PASSAGES))


def passages(text: str, template: ChatTemplate, length: int) -> Iterator[tuple[int, str]]:
    """Yield the passages of a text of at most `length` tokens, about equally long, and the lines before each."""
    at = lines = counted = 0
    while at < len(text):
        piece = text[at : at + PIECE_BYTES]
        if at + PIECE_BYTES < len(text):
            piece = piece[: _well(piece, PIECE_BYTES // 2)]
        for start, end in pairwise(_cuts(piece, template, length)):
            lines += text.count("\n", counted, at + start)
            counted = at + start
            if passage := piece[start:end].strip("\n").rstrip():
                yield lines, passage
        at += len(piece)


def _cuts(text: str, template: ChatTemplate, length: int) -> list[int]:
    """Return where passages begin and end, in characters."""
    offsets = template.offsets(text)
    room = max(SPARE, length - SPARE)
    cuts, first = [0], 0
    while len(offsets) - first > room:
        left = -(-(len(offsets) - first) // room)  # passages still to be made, all about as long
        last = first + -(-(len(offsets) - first) // left)
        soonest = offsets[first + round((last - first) * (1 - LOOK_BACK))][0]
        start, limit = cuts[-1], offsets[last][0]
        end = start + _well(text[start:limit], max(1, soonest - start))
        cuts.append(end)
        while first < len(offsets) and offsets[first][0] < end:
            first += 1
    return [*cuts, len(text)]


def _well(text: str, soonest: int) -> int:
    """Return where a text is best cut, behind `soonest` characters: at a paragraph, a line, a sentence, a word."""
    for mark in _ENDS:
        ends = [found.end() for found in mark.finditer(text, soonest)]
        if ends:
            return ends[-1]
    return len(text)
