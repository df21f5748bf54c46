"""Tables as text: columns parted by commas, tabs, semicolons or bars, and how to tell one from plain text."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, takewhile

from agent.data.chat_rows import detect_form
from agent.data.readers.containers import HEAD_BYTES, Upload
from agent.data.readers.decoding import Decoder, bounded_lines, not_utf8
from agent.data.readers.raw_row import RawRow
from agent.data.readers.records import Record, read_records
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import N_, _, grouped

MAX_COLUMNS = 1000
MARKS = {",": N_("commas"), "\t": N_("tabs"), ";": N_("semicolons"), "|": N_("bars")}
DELIMITERS = "".join(MARKS)  # the first that fits wins
UNNAMED = "column {number}"  # in every language: a dataset must not depend on who looks at it
SPREADSHEET = re.compile(rf'^"?sep=([{re.escape(DELIMITERS)}])"?$', re.IGNORECASE)  # Excel's own first line
NAME_CHARS = 60  # a longer cell in the first line is no name of a column
SAME_WIDTH = 0.8  # of the first rows; plain text has a comma here and there


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a text parts into rows and cells."""

    delimiter: str
    named: bool = True  # its first row names the columns
    skipped: int = 0  # lines before it, which are for a spreadsheet


def named_layout(upload: Upload) -> Layout | None:
    """Return what a spreadsheet's own line says, or what gives known names; None: it may still be a table."""
    first = _first_line(_head(upload))
    if said := SPREADSHEET.match(first):
        return Layout(delimiter=said[1], skipped=1)
    for mark in DELIMITERS:
        names = set(next(csv.reader([first], delimiter=mark), []))
        form = detect_form(names)
        if form is not None and (form is not DatasetForm.text or names == {"text"}):
            return Layout(delimiter=mark)
    return None


def even_layout(upload: Upload) -> Layout | None:
    """Return what parts every row alike; None: it is plain text."""
    head = _head(upload)
    first = _first_line(head)
    for mark in sorted(DELIMITERS, key=first.count, reverse=True):
        rows = _rows(head, mark)
        is_data = begins_with_data(rows)
        if len(rows) >= 2 and _parts_alike(rows, named=not is_data):
            return Layout(delimiter=mark, named=not is_data)
    return None


def _first_line(head: str) -> str:
    return next(iter(head.splitlines()), "").strip()


def _head(upload: Upload) -> str:
    with upload.open() as file:
        head = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    return head if len(head) < HEAD_BYTES // 4 else head.rpartition("\n")[0] or head


def _rows(head: str, mark: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a quote that does not close says nothing about the rows before it
        rows.extend([cell.strip() for cell in row] for row in csv.reader(io.StringIO(head), delimiter=mark) if row)
    return rows


def _parts_alike(rows: list[list[str]], *, named: bool) -> bool:
    """Say whether rows have as many cells as the first, which holds short, different names if it is `named`."""
    names = rows[0]
    alike = Counter(map(len, rows[1:]))[len(names)] / (len(rows) - 1)
    if len(names) < 2 or alike < SAME_WIDTH:
        return False
    if not named:
        return True
    twice = len(set(names)) < len(names)  # which is refused later: no text parts into three or more in all of its lines
    if twice and (len(names) < 3 or len(rows) < 3 or alike < 1):
        return False
    fit = max(map(len, names)) <= NAME_CHARS and all(names[1:])
    return fit and not names[-1].endswith((".", "!", "?"))


def begins_with_data(rows: list[list[str]]) -> bool:
    """Say whether the first row asks as the others do; a form's columns are called by questions that are not below."""
    asked = [place for place, cell in enumerate(rows[0][:-1]) if cell.endswith("?")] if rows else []
    below, asking = Counter[int](), Counter[int]()
    for row in rows[1:]:
        for place in takewhile(len(row).__gt__, asked):
            below[place] += 1
            asking[place] += row[place].endswith("?")
    return any(asking[place] > count / 2 for place, count in below.items())


def read_table(upload: Upload, layout: Layout, decoder: Decoder) -> Iterator[RawRow]:
    """Yield the rows of a table. Raises AgentError where its header is broken or names a column twice."""
    with upload.open() as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = islice(bounded_lines(text.readline), layout.skipped, None)
        records = read_records(lines, layout.delimiter, number=layout.skipped)
        first = next(records, None)
        if first is None:
            return
        header = [_name(cell, decoder) for cell in first.cells] if layout.named else [""] * len(first.cells)
        names = column_names(header)
        for record in records if layout.named else chain([first], records):
            yield _row(record, names, layout.delimiter, decoder)


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
    if header.count("") > 1:  # one is the number of the row, as pandas writes it; spreadsheets leave empty ones behind
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
            "has {cells} cells, and the header {names}; put texts with {mark} into quotes",
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
