"""Rows of JSON: a list, one row a line, rows over many lines, or one object that holds them all."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder, undecoded
from agent.data.readers.exports.table import find_row_export
from agent.data.readers.json_lines import COMMENTS, FENCED, values_by_line
from agent.data.readers.json_text import parse_one, parse_values, too_deep
from agent.data.readers.nested import turns_as_row
from agent.data.readers.orients import listed_rows, named_cells, rows_of
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

MAX_JSON_BYTES = 256 * 1024 * 1024  # a JSON array is parsed whole; JSONL has no such limit
LISTS_BY_LINE = re.compile(rb"\[.*\][ \t\r]*,?[ \t\r]*\n\s*\[")  # JSONL whose rows are lists of turns
BEGIN = re.compile(rb'(?:```\w*\s*)?+(?:[\[{]|"\s*(?:\{\s*\\"|\[\s*\{))')  # also fenced, and packed into strings
FENCE = re.compile(r"^[ \t]*```\w*[ \t]*\r?$", re.MULTILINE)  # of Markdown
SPEAKS = {"role", "from", "speaker", "author", "sender", "user"}  # of a list on a line: then it is one talk
PACKED = 2  # times that a value may be packed into a string


def looks_like_json(head: bytes) -> bool:
    """Say whether a text that begins so is JSON, perhaps below lines of comment."""
    if BEGIN.match(head):
        return True
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith(COMMENTS)), b"")
    with suppress(ValueError, RecursionError):
        return head.startswith(COMMENTS) and isinstance(json.loads(first), dict)
    return False


def read_json(upload: Upload, decoder: Decoder, head: bytes) -> Iterator[RawRow]:
    """Yield the rows of a file that looks like JSON. Raises AgentError where it cannot be read as a whole."""
    begin = head.removeprefix(b"```json").removeprefix(b"```").lstrip()
    if begin.startswith(b"[") and not LISTS_BY_LINE.match(begin):
        yield from _numbered(listed_rows(_array(upload, decoder)), decoder)
        return
    may_hold_rows = _is_one_line(upload) or not _begins_with_a_row(head)
    if may_hold_rows and (whole := whole_object(upload, decoder)) is not None:
        rows = None if find_row_export([whole]) else rows_of(whole)
        yield from _numbered([whole] if rows is None else rows, decoder)
    else:
        for line, value, problem in values_by_line(upload, decoder):
            if problem is not None or type(value) is dict:  # as nearly all are
                yield RawRow(line=line, value=value, problem=problem)
            else:
                yield from _rows(line, value)


def whole_object(upload: Upload, decoder: Decoder) -> dict[str, Any] | None:
    """Return a file that is one JSON object; None if it is anything else, or too large."""
    content = upload.read(MAX_JSON_BYTES)
    with suppress(json.JSONDecodeError, AgentError):  # read line by line, it will say where it breaks
        whole = parse_one(_unfenced(decoder.whole(content))) if content is not None else None
        return whole if isinstance(whole, dict) else None
    return None


def _unfenced(text: str) -> str:
    return FENCE.sub("", text) if "```" in text else text


def _array(upload: Upload, decoder: Decoder) -> list[Any]:
    content = upload.read(MAX_JSON_BYTES)
    if content is None:
        raise AgentError(
            _(
                "A JSON array may have {limit} MiB, this one has more. Send it as JSONL, one row a line.",
                limit=MAX_JSON_BYTES >> 20,
            ),
            code=ErrorCode.file_too_large,
        )
    try:
        values = parse_values(_unfenced(decoder.whole(content)))
    except json.JSONDecodeError as error:
        raise AgentError(
            _(
                "The JSON is broken at line {line}, column {column}: {reason}. Mend that line and send it again.",
                line=error.lineno,
                column=error.colno,
                reason=error.msg,
            ),
            code=ErrorCode.dataset_broken,
        ) from error
    return [row for value in values for row in (value if isinstance(value, list) else [value])]


def _is_one_line(upload: Upload) -> bool:
    with upload.open() as file:
        file.readline(MAX_JSON_BYTES)
        return not file.read(1024).strip()


def _numbered(rows: list[Any], decoder: Decoder) -> Iterator[RawRow]:
    """Yield the rows of a whole file, without those in which a byte is no UTF-8."""
    for number, value in enumerate(rows, start=1):
        problem = undecoded(_as_json(value)) if decoder.has_undecoded else None
        if problem is None:
            yield _row(number, value, unit="Row")
        else:
            yield RawRow(line=number, unit="Row", value=None, problem=problem)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise too_deep() from error


def _begins_with_a_row(head: bytes) -> bool:
    """Say whether the first line that is no comment is JSON by itself; a comma may follow it."""
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith((*COMMENTS, FENCED))), b"")
    with suppress(ValueError, RecursionError):
        json.loads(first.rstrip(b","))
        return True
    return False


def _rows(line: int, value: Any) -> Iterator[RawRow]:
    """Yield the rows of one value; a list of objects that do not speak is a list of rows."""
    value = _unpacked(value)
    if isinstance(value, list) and value and isinstance(value[0], dict) and not value[0].keys() & SPEAKS:
        yield from (_row(line, row) for row in value)
    else:
        yield _row(line, value)


def _unpacked(value: Any) -> Any:
    """Return what JSON in a string means; any other text is itself."""
    for _time in range(PACKED):
        if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
            break
        with suppress(json.JSONDecodeError):
            parsed = parse_one(value)
            if isinstance(parsed, dict | list):
                value = parsed
    return value


def _row(number: int, value: Any, unit: Literal["Line", "Row"] = "Line") -> RawRow:
    value = named_cells(turns_as_row(_unpacked(value)))
    if isinstance(value, dict):
        return RawRow(line=number, unit=unit, value=value)
    if isinstance(value, str):
        return RawRow(line=number, unit=unit, value={"text": value})
    return RawRow(
        line=number,
        unit=unit,
        value=None,
        problem=_("is {kind}, not an object with keys", kind=type(value).__name__),
    )
