"""From an untrusted upload to rows: JSON, JSONL, a table, Parquet, a chat or text, by content and not by name."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NoReturn

from agent.data.readers.cells import unfold
from agent.data.readers.chat_export import ChatExport
from agent.data.readers.columns import map_columns
from agent.data.readers.containers import HEAD_BYTES, ReadSoFar, Upload, open_upload
from agent.data.readers.decoding import Decoder, bounded_lines, not_utf8, undecoded
from agent.data.readers.exports.table import find_row_export, row_export, text_export
from agent.data.readers.nested import nested_rows, turns_as_row
from agent.data.readers.parquet import read_parquet
from agent.data.readers.plain_text import read_pieces
from agent.data.readers.raw_row import RawRow
from agent.data.readers.tables import find_layout, read_table
from agent.data.readers.talks import read_talks
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _
from shared.mapping import Mapping

MAX_JSON_BYTES = 256 * 1024 * 1024  # a JSON array is parsed whole; JSONL has no such limit
LISTS_BY_LINE = re.compile(rb"\[.*\][ \t\r]*\n\s*\[")  # JSONL whose rows are lists of turns
COMMENTS = (b"#", b"//")  # above JSONL


def read_rows(path: Path, meter: ReadSoFar | None = None, mapping: Mapping | None = None) -> Iterator[RawRow]:
    """Yield the rows of a dataset, read as `mapping` says; `meter` is told how far.

    Raises AgentError when the whole cannot be read, UnclearError when somebody has to say who speaks in it.
    """
    upload = open_upload(path, meter)
    decoder = Decoder(upload)
    content, is_export = text_export(upload, decoder), True
    if content is None:
        content, is_export = row_export(_rows(upload, decoder), mapping)
    if isinstance(content, ChatExport):
        yield from read_talks(content, mapping)
        return
    rows = content if is_export else map(unfold, content)
    yield from rows if mapping is None else map_columns(rows, mapping)


def _rows(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    if upload.is_parquet:
        yield from read_parquet(upload)
        return
    with upload.open() as file:
        visible = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    if not visible:
        raise AgentError(_("The file is empty. Send a dataset with at least ten rows."), code=ErrorCode.dataset_empty)
    if visible.startswith(b"[") and not LISTS_BY_LINE.match(visible):
        yield from _json_array(upload, decoder)
    elif visible.startswith((b"{", b"[")) or _is_commented(visible):
        yield from _json_lines(upload, decoder)
    elif (layout := find_layout(upload)) is not None:
        yield from read_table(upload, layout, decoder)
    else:
        yield from read_pieces(upload, decoder)


def _is_commented(head: bytes) -> bool:
    """Say whether a text is JSONL below lines of comment."""
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith(COMMENTS)), b"")
    with suppress(ValueError, RecursionError):
        return head.startswith(COMMENTS) and isinstance(json.loads(first), dict)
    return False


def _json_array(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    content = upload.read(MAX_JSON_BYTES)
    if content is None:
        raise AgentError(
            _(
                "A JSON array may have {limit} MiB, this one has more. Send it as JSONL, one row a line.",
                limit=MAX_JSON_BYTES >> 20,
            ),
            code=ErrorCode.file_too_large,
        )
    yield from _numbered(parse_json(decoder.whole(content)), decoder)


def _json_lines(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    if (nested := _nested_in_one_line(upload, decoder)) is not None:
        yield from nested
        return
    with upload.open() as file:
        begun = False
        for number, line in enumerate(bounded_lines(file.readline), start=1):
            if not line.strip() or (not begun and line.removeprefix(codecs.BOM_UTF8).lstrip().startswith(COMMENTS)):
                continue
            begun = True
            try:
                yield _row(number, parse_json(decoder.line(line, number)))
            except UnicodeDecodeError as error:
                yield RawRow(line=number, value=None, problem=not_utf8(error))
            except json.JSONDecodeError as error:
                if number == 1 and (nested := _nested_rows(upload, decoder)) is not None:
                    yield from nested
                    return
                yield RawRow(
                    line=number,
                    value=None,
                    problem=_("is not valid JSON ({reason} at column {column})", reason=error.msg, column=error.colno),
                )


def _nested_in_one_line(upload: Upload, decoder: Decoder) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object on one line, with its rows under one key; None if it is anything else."""
    with upload.open() as file:
        file.readline(MAX_JSON_BYTES)
        if file.read(1024).strip():
            return None
    return _nested_rows(upload, decoder)


def _nested_rows(upload: Upload, decoder: Decoder) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object over many lines, with its rows under one key."""
    whole = _whole_object(upload, decoder)
    if whole is None:
        return None  # read line by line, it will say where it breaks
    rows = None if find_row_export([whole]) else nested_rows(whole)
    return _numbered([whole] if rows is None else rows, decoder)


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


def _whole_object(upload: Upload, decoder: Decoder) -> dict[str, Any] | None:
    """Return a file that is one JSON object; None if it is anything else, or too large."""
    content = upload.read(MAX_JSON_BYTES)
    try:
        whole = json.loads(decoder.whole(content), parse_constant=_refuse_constant) if content is not None else None
    except (ValueError, RecursionError, AgentError):
        return None
    return whole if isinstance(whole, dict) else None


def _row(number: int, value: Any, unit: Literal["Line", "Row"] = "Line") -> RawRow:
    value = turns_as_row(value)
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


def parse_json(text: str) -> Any:
    """Parse JSON strictly: no NaN, no duplicate keys, no bottomless nesting.

    A whole-file array that does not parse is refused here with its line; for one line of JSONL the decoder's
    error goes to the caller, who drops that row.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise _broken_array(text, error) from error
        raise json.JSONDecodeError(_("a number is too long"), text, 0) from error
    except RecursionError as error:
        raise too_deep() from error


def too_deep() -> AgentError:
    """Say that JSON has more levels than can be followed."""
    return AgentError(_("The JSON is nested too deeply to be a dataset."), code=ErrorCode.dataset_broken)


def _broken_array(text: str, error: json.JSONDecodeError) -> Exception:
    if not text.lstrip().startswith("["):
        return error
    return AgentError(
        _(
            "The JSON is broken at line {line}, column {column}: {reason}. Mend that line and send it again.",
            line=error.lineno,
            column=error.colno,
            reason=error.msg,
        ),
        code=ErrorCode.dataset_broken,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(_("{name} is not JSON", name=name), name, 0)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        double = next(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)
        raise json.JSONDecodeError(_("the key {double!r} appears twice", double=double[:40]), double, 0)
    return row
