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

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_JSON_BYTES = 256 * 1024 * 1024  # a JSON array is parsed whole; JSONL has no such limit
NESTED_KEYS = ("data", "rows", "examples")
BINARY_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x80\x04": "a pickle",
    b"GGUF": "a GGUF model",
    b"\x7fELF": "a program",
    b"\x89PNG": "a picture",
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
                f"The file is {kind}, not text. Send the rows as JSONL, JSON or CSV.", code=ErrorCode.dataset_not_text
            )
    if b"\x00" in head:
        raise AgentError(
            "The file is not UTF-8 text. Save it as UTF-8 (JSONL, JSON or CSV) and send it again.",
            code=ErrorCode.dataset_not_text,
        )
    visible = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not visible:
        raise AgentError("The file is empty. Send a dataset with at least ten rows.", code=ErrorCode.dataset_empty)
    return chr(visible[0])


def _json_array(path: Path) -> Iterator[RawRow]:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise AgentError(
            f"A JSON array may have {MAX_JSON_BYTES >> 20} MiB, this one has {path.stat().st_size >> 20}. "
            "Send it as JSONL, one row a line.",
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
                    line=number, value=None, problem=f"is not valid JSON ({error.msg} at column {error.colno})"
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
                    "The file is neither JSON, JSONL nor a CSV table with at least two columns. "
                    f"Its first line begins “{(reader.fieldnames or [''])[0][:40]}”.",
                    code=ErrorCode.dataset_unknown_form,
                )
            for row in reader:
                yield _row(reader.line_num, {key: value for key, value in row.items() if isinstance(key, str)})
        except csv.Error as error:
            raise AgentError(
                f"The CSV is broken near line {reader.line_num}: {error}. Check the quotes there.",
                code=ErrorCode.dataset_broken,
            ) from error
        except UnicodeDecodeError as error:
            _refuse_encoding(error)


def _row(number: int, value: Any, unit: Literal["Line", "Row"] = "Line") -> RawRow:
    if isinstance(value, dict):
        return RawRow(line=number, unit=unit, value=value)
    return RawRow(line=number, unit=unit, value=None, problem=f"is {type(value).__name__}, not an object with keys")


def _bounded_lines(file: io.BufferedReader) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise AgentError(
                f"Line {number} is longer than {MAX_LINE_BYTES >> 20} MiB. One row a line; split it up.",
                code=ErrorCode.dataset_broken,
            )
        yield line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _decode(data: bytes, line: int | None = None) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_encoding(error, line)


def _refuse_encoding(error: UnicodeDecodeError, line: int | None = None) -> NoReturn:
    where = f"Line {line}" if line else "The file"
    raise AgentError(
        f"{where} is not UTF-8 text (byte 0x{error.object[error.start]:02x} at {error.start}). "
        "Save it as UTF-8 and send it again.",
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
        raise json.JSONDecodeError("a number is too long", text, 0) from error
    except RecursionError as error:
        raise AgentError("The JSON is nested too deeply to be a dataset.", code=ErrorCode.dataset_broken) from error


def _broken_array(text: str, error: json.JSONDecodeError) -> Exception:
    if not text.lstrip().startswith("["):
        return error
    return AgentError(
        f"The JSON is broken at line {error.lineno}, column {error.colno}: {error.msg}. Mend that line and send it "
        "again.",
        code=ErrorCode.dataset_broken,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [key for key, _ in pairs]
        double = next(key for key in names if names.count(key) > 1)
        raise json.JSONDecodeError(f"the key {double[:40]!r} appears twice", double, 0)
    return row
