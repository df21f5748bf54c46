"""Tables as text: columns parted by commas, tabs, semicolons or bars, and how to tell one from plain text."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from agent.data.reading.containers import HEAD_BYTES, Upload
from agent.data.reading.decoding import Decoder, bounded_lines, not_utf8
from agent.data.reading.raw_row import RawRow
from agent.data.reading.records import Record, read_records
from agent.data.rows import detect_form
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import N_, _, grouped

MAX_COLUMNS = 1000
MARKS = {",": N_("commas"), "\t": N_("tabs"), ";": N_("semicolons"), "|": N_("bars")}
DELIMITERS = "".join(MARKS)  # the first that fits wins
UNNAMED = "column {number}"  # in every language: a dataset must not depend on who looks at it
NAME_CHARS = 60  # a longer cell in the first line is no name of a column
SAME_WIDTH = 0.8  # of the first rows; plain text has a comma here and there


def find_delimiter(upload: Upload) -> str | None:
    """Return what parts the columns: what gives known names, else what parts every row alike; None: plain text."""
    head = _head(upload)
    first = next(iter(head.splitlines()), "").strip()
    for mark in DELIMITERS:
        names = set(next(csv.reader([first], delimiter=mark), []))
        form = detect_form(names)
        if form is not None and (form is not DatasetForm.text or names == {"text"}):
            return mark
    return max((mark for mark in DELIMITERS if _parts_alike(head, mark)), key=first.count, default=None)


def _head(upload: Upload) -> str:
    with upload.open() as file:
        head = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    return head if len(head) < HEAD_BYTES // 4 else head.rpartition("\n")[0] or head


def _parts_alike(head: str, mark: str) -> bool:
    """Say whether a mark parts a first line of short, different names and then rows of just as many cells."""
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a quote that does not close says nothing about the rows before it
        for row in csv.reader(io.StringIO(head), delimiter=mark):
            rows += [row] if row else []
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    names = [name.strip() for name in rows[0]]
    named = len(set(names)) == len(names) and max(map(len, names)) <= NAME_CHARS and all(names[1:])
    alike = Counter(map(len, rows[1:]))[len(names)] / (len(rows) - 1)
    return named and alike >= SAME_WIDTH and not names[-1].endswith((".", "!", "?"))


def read_table(upload: Upload, delimiter: str, decoder: Decoder) -> Iterator[RawRow]:
    """Yield the rows of a table. Raises AgentError where its header is broken or names a column twice."""
    with upload.open() as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        records = read_records(bounded_lines(text.readline), delimiter)
        header = next(records, None)
        names = column_names([_name(cell, decoder) for cell in header.cells] if header else [])
        for record in records:
            yield _row(record, names, delimiter, decoder)


def _name(cell: str, decoder: Decoder) -> str:
    try:
        return decoder.cell(cell, 1)
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "replace")


def column_names(header: list[str]) -> list[str]:
    """Return the names of the columns, a number where several have none. Raises AgentError: dataset_broken."""
    if len(header) > MAX_COLUMNS:
        raise AgentError(
            _("The table has {count} columns; at most {limit} are read. Leave out those that say nothing.",
               count=grouped(len(header)), limit=grouped(MAX_COLUMNS)),
            code=ErrorCode.dataset_broken,
        )  # fmt: skip
    if (
        header.count("") > 1
    ):  # one is the number of the row, as pandas writes it; a spreadsheet leaves empty ones behind
        header = [name or UNNAMED.format(number=number) for number, name in enumerate(header, start=1)]
    count = Counter(name.strip() for name in header)
    double = next((name for name in count if count[name] > 1), None)
    if double is not None:
        raise AgentError(
            _("The table has {count} columns called “{name}”. Give each column its own name and send the file again.",
              count=count[double], name=double[:NAME_CHARS]),
            code=ErrorCode.dataset_broken,
        )  # fmt: skip
    return header


def _row(record: Record, names: list[str], delimiter: str, decoder: Decoder) -> RawRow:
    """Return a row; one with more cells than the header says no longer which text is whose."""
    problem = record.problem
    if any(cell.strip() for cell in record.cells[len(names) :]):
        problem = _(
            "has {cells} cells, and the header {names}; put a text with {mark} in it into quotes",
            cells=grouped(len(record.cells)),
            names=grouped(len(names)),
            mark=_(MARKS[delimiter]),
        )
    try:
        cells = [decoder.cell(cell, record.line) for cell in record.cells]
    except UnicodeDecodeError as error:
        problem = not_utf8(error)
    if problem is not None:
        return RawRow(line=record.line, value=None, problem=problem)
    return RawRow(line=record.line, value=dict(zip(names, cells, strict=False)))
