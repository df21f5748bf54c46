"""JSON values from the lines of a file: one a line, several, or one over many lines."""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from agent.data.readers.brackets import Brackets
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import MAX_LINE_BYTES, Decoder, bounded_lines, not_utf8
from agent.data.readers.json_text import RefusedValue, parse_strict, parse_values
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

COMMENTS = (b"#", b"//")  # above JSONL
FENCED = b"```"  # Markdown around JSON


Found = tuple[int, Any, str | None]  # the line where a value begins, the value, or what is wrong with it


def values_by_line(upload: Upload, decoder: Decoder) -> Iterator[Found]:
    """Yield the values of a file. Raises AgentError where it cannot be read as a whole."""
    record = _Record()
    begun = False
    with upload.open() as file:
        for number, line in enumerate(bounded_lines(file.readline), start=1):
            try:
                text = decoder.line(line, number)
                if record.pieces and record.is_broken_by(text):
                    yield from record.take()
                if not record.pieces:
                    yield number, parse_strict(text), None
                    begun = True
                    continue
            except UnicodeDecodeError as error:
                yield number, None, not_utf8(error)
                continue
            except RefusedValue as error:
                yield number, None, _problem(number, error)
                continue
            except json.JSONDecodeError:
                if _is_no_value(line, begun=begun):
                    continue
            begun = True
            yield from record.add(number, text)
    yield from record.take()


def _is_no_value(line: bytes, *, begun: bool) -> bool:
    bare = line.removeprefix(codecs.BOM_UTF8).strip()
    return not bare or bare.startswith(FENCED) or (not begun and bare.startswith(COMMENTS))


class _Record:
    """Lines that are no value each: what is open at the end of one goes on in the next."""

    def __init__(self) -> None:
        self._begin(0)

    def _begin(self, line: int) -> None:
        self._line, self.pieces, self._chars, self._brackets = line, list[str](), 0, Brackets()

    def is_broken_by(self, text: str) -> bool:
        """Say whether a line begins another value, although this one has not ended."""
        if not text.startswith(("{", "[")):
            return False
        goes_on = self.pieces[-1].rstrip().endswith((",", "[", ":"))
        return self.pieces[0].strip() not in {"{", "["} or not goes_on

    def add(self, number: int, text: str) -> Iterator[Found]:
        """Take a line, and yield the values that end with it. Raises AgentError where one does not end."""
        self._line = number if not self.pieces else self._line
        ends = [end for _begin, end in self._brackets.feed(text)]
        self.pieces.append(text)
        self._chars += len(text)
        if not self._brackets.open:
            yield from self.take()
        elif ends:
            rest, brackets = text[ends[-1] :], self._brackets
            self.pieces[-1] = text[: ends[-1]]
            yield from self.take()
            self._begin(number)
            self.pieces, self._chars, self._brackets = [rest], len(rest), brackets
        elif self._chars > MAX_LINE_BYTES:
            raise AgentError(
                _(
                    "The row that begins in line {line} is longer than {limit} MiB, or has a bracket or a quote that "
                    "is not closed. Mend it and send the file again.",
                    line=self._line,
                    limit=MAX_LINE_BYTES >> 20,
                ),
                code=ErrorCode.dataset_broken,
            )

    def take(self) -> Iterator[Found]:
        """Yield the values of the lines taken so far, and forget these."""
        line, text = self._line, "".join(self.pieces)
        self._begin(0)
        if not text.strip():
            return
        try:
            yield from ((line, value, None) for value in parse_values(text))
        except json.JSONDecodeError as error:
            yield line, None, _problem(line, error)


def _problem(line: int, error: json.JSONDecodeError) -> str:
    if error.lineno == 1:
        return _("is not valid JSON ({reason} at column {column})", reason=error.msg, column=error.colno)
    return _(
        "begins a row that is not valid JSON ({reason} at line {line}, column {column})",
        reason=error.msg,
        line=line + error.lineno - 1,
        column=error.colno,
    )
