"""From the bytes of an untrusted file to rows: JSON, JSONL or CSV, told by content, never by name."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import N_, _

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_JSON_BYTES = 256 * 1024 * 1024  # a JSON array is parsed whole; JSONL has no such limit
NESTED_KEYS = ("data", "rows", "examples")
BINARY_MAGIC = {
    b"PK\x03\x04": N_("a zip archive"),
    b"\x1f\x8b": N_("a gzip archive"),
    b"PAR1": N_("a Parquet file"),
    b"%PDF": N_("a PDF"),
    b"\x80\x04": N_("a pickle"),
    b"GGUF": N_("a GGUF model"),
    b"\x7fELF": N_("a program"),
    b"\x89PNG": N_("a picture"),
}


@dataclass(frozen=True, kw_only=True)
class RawRow:
    """One row, or why it is none."""

    line: int  # 1-based line of the file; in a JSON array the number of the row
    value: dict[str, Any] | None
    problem: str | None = None
    unit: Literal["Line", "Row"] = "Line"  # what `line` counts


def read_rows(path: Path) -> Iterator[RawRow]:
    """Yield the rows of a dataset. Raises AgentError when the file as a whole cannot be read."""
    first = _check_text(path)
    if first == "[":
        yield from _json_array(path)
    elif first == "{":
        yield from _json_lines(path)
    else:
        yield from _csv(path)


def _check_text(path: Path) -> str:
    """Return the first visible character, after making sure that the file is text."""
    with path.open("rb") as file:
        head = file.read(65536)
    for magic, kind in BINARY_MAGIC.items():
        if head.startswith(magic):
            raise AgentError(
                _("The file is {kind}, not text. Send the rows as JSONL, JSON or CSV.", kind=_(kind)),
                code=ErrorCode.dataset_not_text,
            )
    if b"\x00" in head:
        raise AgentError(
            _("The file is not UTF-8 text. Save it as UTF-8 (JSONL, JSON or CSV) and send it again."),
            code=ErrorCode.dataset_not_text,
        )
    visible = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not visible:
        raise AgentError(_("The file is empty. Send a dataset with at least ten rows."), code=ErrorCode.dataset_empty)
    return chr(visible[0])


def _json_array(path: Path) -> Iterator[RawRow]:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise AgentError(
            _(
                "A JSON array may have {limit} MiB, this one has {size}. Send it as JSONL, one row a line.",
                limit=MAX_JSON_BYTES >> 20,
                size=path.stat().st_size >> 20,
            ),
            code=ErrorCode.file_too_large,
        )
    rows = parse_json(_decode(path.read_bytes()))
    yield from (_row(number, value, unit="Row") for number, value in enumerate(rows, start=1))


def _json_lines(path: Path) -> Iterator[RawRow]:
    if (nested := _nested_in_one_line(path)) is not None:
        yield from nested
        return
    with path.open("rb") as file:
        for number, line in enumerate(_bounded_lines(file), start=1):
            if not line.strip():
                continue
            try:
                yield _row(number, parse_json(_decode(line, number)))
            except json.JSONDecodeError as error:
                if number == 1 and (nested := _nested_rows(path)) is not None:
                    yield from nested
                    return
                yield RawRow(
                    line=number,
                    value=None,
                    problem=_("is not valid JSON ({reason} at column {column})", reason=error.msg, column=error.colno),
                )


def _nested_in_one_line(path: Path) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object on one line, with its rows under one key; None if it is anything else."""
    with path.open("rb") as file:
        file.readline(MAX_JSON_BYTES)
        if file.read(1024).strip():
            return None
    return _nested_rows(path)


def _nested_rows(path: Path) -> Iterator[RawRow] | None:
    """Read a file that is one JSON object over many lines, with its rows under one key."""
    if path.stat().st_size > MAX_JSON_BYTES:
        return None
    try:
        whole = json.loads(_decode(path.read_bytes()), parse_constant=_refuse_constant)
    except (ValueError, RecursionError, AgentError):
        return None  # read line by line, it will say where it breaks
    rows = next((whole[key] for key in NESTED_KEYS if isinstance(whole.get(key), list)), [whole])
    return (_row(number, value, unit="Row") for number, value in enumerate(rows, start=1))


def _csv(path: Path) -> Iterator[RawRow]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="")
        try:
            reader = csv.DictReader(text, strict=True)
            if reader.fieldnames is None or len(reader.fieldnames) < 2:
                raise AgentError(
                    _(
                        "The file is neither JSON, JSONL nor a CSV table with at least two columns. Its first "
                        "line begins “{start}”.",
                        start=(reader.fieldnames or [""])[0][:40],
                    ),
                    code=ErrorCode.dataset_unknown_form,
                )
            for row in reader:
                yield _row(reader.line_num, {key: value for key, value in row.items() if isinstance(key, str)})
        except csv.Error as error:
            raise AgentError(
                _(
                    "The CSV is broken near line {line}: {error}. Check the quotes there.",
                    line=reader.line_num,
                    error=error,
                ),
                code=ErrorCode.dataset_broken,
            ) from error
        except UnicodeDecodeError as error:
            _refuse_encoding(error)


def _row(number: int, value: Any, unit: Literal["Line", "Row"] = "Line") -> RawRow:
    if isinstance(value, dict):
        return RawRow(line=number, unit=unit, value=value)
    return RawRow(
        line=number,
        unit=unit,
        value=None,
        problem=_("is {kind}, not an object with keys", kind=type(value).__name__),
    )


def _bounded_lines(file: io.BufferedReader) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
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
        yield line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _decode(data: bytes, line: int | None = None) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_encoding(error, line)


def _refuse_encoding(error: UnicodeDecodeError, line: int | None = None) -> NoReturn:
    where = _("Line {line}", line=line) if line else _("The file")
    raise AgentError(
        _(
            "{where} is not UTF-8 text (byte 0x{byte:02x} at {start}). Save it as UTF-8 and send it again.",
            where=where,
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
