"""The records of a table as text, line by line; a broken quote costs the record it stands in, not the file."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from agent.data.readers.decoding import MAX_LINE_BYTES
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

READ_AGAIN = 64 << 20  # characters at most, behind broken quotes: else a file of nothing but them takes hours
LOOKED_AT = 20  # records behind a broken quote, to see whether they are rows or still its text
ALIKE = 0.8  # of them have as many cells as the header: then they are rows
_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')


@dataclass(frozen=True, kw_only=True)
class Record:
    """The cells of one row, or why it is none."""

    line: int
    cells: list[str]
    problem: str | None = None


class _Lines:
    """Lines, of which those that a broken quote swallowed are read again."""

    def __init__(self, lines: Iterator[str], number: int) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._left = READ_AGAIN
        self._chars = 0
        self.taken: list[str] = []  # by the record at hand
        self.without_end = False  # it has taken all there is, or more than a row may have
        self.number = number

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, "")
        self._chars += len(line)
        self.without_end = not line or (self._chars > MAX_LINE_BYTES and bool(self.taken))
        if line:
            self.number += 1
            self.taken.append(line)
        if self.without_end:
            raise StopIteration
        return line

    def begin(self) -> None:
        """Begin the next record."""
        self.taken, self._chars, self.without_end = [], 0, False

    def give_back(self, kept: int) -> None:
        """Read again what the record at hand has taken, but for so many lines. Raises AgentError."""
        back = self.taken[kept:]
        self.number -= len(back)
        self._left -= sum(map(len, back))
        if self._left < 0:
            raise _broken(self.number)
        self._again.extendleft(reversed(back))
        self.taken = self.taken[:kept]
        self._chars = sum(map(len, self.taken))


def read_records(lines: Iterator[str], delimiter: str, *, number: int = 0) -> Iterator[Record]:
    """Yield the records of a table, its header first; empty lines are none. `number` lines came before.

    Where a record does not read strictly, a backslash may be what escapes its quotes. Otherwise it is dropped, alone if
    what follows reads as rows; a quote that never closes ends the table. Raises AgentError.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    left = _Lines(lines, number)
    width = 0
    reader = _reader(left, delimiter)
    while True:
        left.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if not width:
                raise _broken(left.number - len(left.taken) + 1) from None
            mended = _unescaped(left, delimiter)
            if mended is None:
                yield _drop(left, delimiter, width)
                if left.without_end:
                    return
            cells = mended or []
            reader = _reader(left, delimiter)
        if cells:
            width = width or len(cells)
            yield Record(line=left.number, cells=cells)


def _reader(lines: Iterator[str], delimiter: str) -> "Iterator[list[str]]":
    return csv.reader(lines, strict=True, delimiter=delimiter)


def _unescaped(left: _Lines, delimiter: str) -> list[str] | None:
    """Read a record anew, with its backslashes before quotes as what escapes these; None where that is not it."""
    if not any('\\"' in line for line in left.taken):
        return None
    count, without_end = len(left.taken), left.without_end
    left.give_back(0)
    try:
        return next(_reader((_ESCAPED.sub(r'\1""', line) for line in left), delimiter))
    except (csv.Error, StopIteration):
        left.give_back(0)
        for _line in islice(left, count):
            pass
        left.without_end = without_end
        return None


def _drop(left: _Lines, delimiter: str, width: int) -> Record:
    """Say what is wrong with a record whose quotes are broken, and go on behind it."""
    count, without_end = len(left.taken), left.without_end
    first = left.number - count + 1
    left.give_back(1)
    reads_on = _reads_on(left, delimiter, width)
    left.without_end = without_end and not reads_on
    if not reads_on and not without_end:
        is_open = sum(line.count('"') for line in left.taken) % 2
        for line in left:
            is_open = (is_open + line.count('"')) % 2
            if len(left.taken) >= count and not is_open:
                break
    if left.without_end:
        problem = _("opens a quote that is never closed, so everything from there on is left out")
    elif len(left.taken) > 1:
        problem = _("and what follows up to line {last} have a broken quote; write a quote inside a text twice",
                    last=left.number)  # fmt: skip
    else:
        problem = _("has a broken quote; write a quote inside a text twice")
    return Record(line=first, cells=[], problem=problem)


def _reads_on(left: _Lines, delimiter: str, width: int) -> bool:
    """Say whether what comes next reads as rows; it is only looked at."""
    fits: list[bool] = []
    reader, at = _reader(left, delimiter), len(left.taken)
    with suppress(csv.Error):
        for cells in islice(reader, LOOKED_AT):
            is_quoted = '""' in "".join(left.taken[at:])
            at = len(left.taken)
            if cells:  # a quote in a cell that is not in quotes is most often one of the broken text
                fits.append(len(cells) == width and (is_quoted or not any('"' in cell for cell in cells)))
    left.give_back(1)
    return bool(fits) and fits[0] and sum(fits) >= ALIKE * len(fits)


def _broken(line: int) -> AgentError:
    return AgentError(
        _("The table is broken near line {line}. Check the quotes there.", line=line), code=ErrorCode.dataset_broken
    )
