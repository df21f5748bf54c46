"""From an untrusted upload to rows: JSON, JSONL, a table or Parquet, told by content, never by name."""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, AnyStr, Literal, NoReturn

from charset_normalizer import from_bytes

from agent.data.containers import HEAD_BYTES, Meter, Upload, open_upload
from agent.data.parquet import read_parquet
from agent.data.raw_row import RawRow
from agent.data.rows import detect_form
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, grouped

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_COLUMNS = 1000
MAX_JSON_BYTES = 256 * 1024 * 1024  # a JSON array is parsed whole; JSONL has no such limit
NESTED_KEYS = ("data", "rows", "examples", "items", "conversations", "train")
DELIMITERS = ",\t;|"  # the first that fits wins


def read_rows(path: Path, meter: Meter | None = None) -> Iterator[RawRow]:
    """Yield the rows of a dataset; `meter` is told how far. Raises AgentError when the whole cannot be read."""
    upload = open_upload(path, meter)
    if upload.is_parquet:
        yield from read_parquet(upload)
        return
    with upload.open() as file:
        visible = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    if not visible:
        raise AgentError(_("The file is empty. Send a dataset with at least ten rows."), code=ErrorCode.dataset_empty)
    if visible.startswith(b"["):
        yield from _json_array(upload)
    elif visible.startswith(b"{"):
        yield from _json_lines(upload)
    else:
        yield from _table(upload)


def _json_array(upload: Upload) -> Iterator[RawRow]:
    content = upload.read(MAX_JSON_BYTES)
    if content is None:
        raise AgentError(
            _(
                "A JSON array may have {limit} MiB, this one has more. Send it as JSONL, one row a line.",
                limit=MAX_JSON_BYTES >> 20,
            ),
            code=ErrorCode.file_too_large,
        )
    rows = parse_json(_decode(content))
    yield from (_row(number, value, unit="Row") for number, value in enumerate(rows, start=1))


def _json_lines(upload: Upload) -> Iterator[RawRow]:
    if (nested := _nested_in_one_line(upload)) is not None:
        yield from nested
        return
    with upload.open() as file:
        for number, line in enumerate(_bounded_lines(file.readline), start=1):
            if not line.strip():
                continue
            try:
                yield _row(number, parse_json(_decode(line, number)))
            except json.JSONDecodeError as error:
                if number == 1 and (nested := _nested_rows(upload)) is not None:
                    yield from nested
                    return
                yield RawRow(
                    line=number,
                    value=None,
                    problem=_("is not valid JSON ({reason} at column {column})", reason=error.msg, column=error.colno),
                )


def _nested_in_one_line(upload: Upload) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object on one line, with its rows under one key; None if it is anything else."""
    with upload.open() as file:
        file.readline(MAX_JSON_BYTES)
        if file.read(1024).strip():
            return None
    return _nested_rows(upload)


def _nested_rows(upload: Upload) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object over many lines, with its rows under one key."""
    content = upload.read(MAX_JSON_BYTES)
    if content is None:
        return None
    try:
        whole = json.loads(_decode(content), parse_constant=_refuse_constant)
    except (ValueError, RecursionError, AgentError):
        return None  # read line by line, it will say where it breaks
    lists = [key for key, value in whole.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    is_a_row = detect_form(set(whole)) is not None
    named = next((key for key in NESTED_KEYS if key in lists), lists[0] if len(lists) == 1 else None)
    rows = [whole] if is_a_row or named is None else whole[named]
    return (_row(number, value, unit="Row") for number, value in enumerate(rows, start=1))


def _table(upload: Upload) -> Iterator[RawRow]:
    """Read a table of text, whose columns are parted by commas, tabs, semicolons or bars."""
    csv.field_size_limit(MAX_LINE_BYTES)
    with upload.open() as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="")
        try:
            reader = csv.DictReader(_bounded_lines(text.readline), strict=True, delimiter=_delimiter(upload))
            if reader.fieldnames is None or len(reader.fieldnames) < 2:
                raise AgentError(
                    _(
                        "The file is neither JSON, JSONL nor a table (CSV, TSV) with at least two columns. Its first "
                        "line begins “{start}”.",
                        start=(reader.fieldnames or [""])[0][:40],
                    ),
                    code=ErrorCode.dataset_unknown_form,
                )
            if len(reader.fieldnames) > MAX_COLUMNS:
                raise AgentError(
                    _("The table has {count} columns; at most {limit} are read. Leave out those that say nothing.",
                      count=grouped(len(reader.fieldnames)), limit=grouped(MAX_COLUMNS)),
                    code=ErrorCode.dataset_broken,
                )  # fmt: skip
            for row in reader:
                yield _row(reader.line_num, {key: value for key, value in row.items() if isinstance(key, str)})
        except csv.Error as error:
            raise AgentError(
                _(
                    "The table is broken near line {line}: {error}. Check the quotes there.",
                    line=reader.line_num,
                    error=error,
                ),
                code=ErrorCode.dataset_broken,
            ) from error
        except UnicodeDecodeError as error:
            _refuse_encoding(error)


def _delimiter(upload: Upload) -> str:
    """Return what parts the columns: what gives known names, else what gives the most."""
    with upload.open() as file:
        header = file.readline(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").strip()
    found = {mark: next(csv.reader([header], delimiter=mark), []) for mark in DELIMITERS}
    known = [mark for mark, names in found.items() if detect_form(set(names)) is not None]
    return known[0] if known else max(DELIMITERS, key=lambda mark: len(found[mark]))


def _row(number: int, value: Any, unit: Literal["Line", "Row"] = "Line") -> RawRow:
    if isinstance(value, dict):
        return RawRow(line=number, unit=unit, value=value)
    return RawRow(
        line=number,
        unit=unit,
        value=None,
        problem=_("is {kind}, not an object with keys", kind=type(value).__name__),
    )


def _bounded_lines(readline: Callable[[int], AnyStr]) -> Iterator[AnyStr]:
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise AgentError(
                _(
                    "Line {number} is longer than {limit} MiB. One row a line; split it up.",
                    number=number,
                    limit=MAX_LINE_BYTES >> 20,
                ),
                code=ErrorCode.dataset_broken,
            )
        yield line


def _decode(data: bytes, line: int | None = None) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_encoding(error, line)


def _refuse_encoding(error: UnicodeDecodeError, line: int | None = None) -> NoReturn:
    where = _("Line {line}", line=line) if line else _("The file")
    guess = from_bytes(error.object[:HEAD_BYTES]).best()
    like = _(", it looks like {encoding}", encoding=guess.encoding.replace("_", "-")) if guess is not None else ""
    raise AgentError(
        _(
            "{where} is not UTF-8 text{like} (byte 0x{byte:02x} at {start}). Save it as UTF-8 and send it again.",
            where=where,
            like=like,
            byte=error.object[error.start],
            start=error.start,
        ),
        code=ErrorCode.dataset_not_text,
    ) from error


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
        raise AgentError(_("The JSON is nested too deeply to be a dataset."), code=ErrorCode.dataset_broken) from error


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
        names = [key for key, _ in pairs]
        double = next(key for key in names if names.count(key) > 1)
        raise json.JSONDecodeError(_("the key {double!r} appears twice", double=double[:40]), double, 0)
    return row
