"""Workbooks of Excel and LibreOffice are tables whose cells are what was typed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.findings import InspectRequest
from agent.data.inspect import inspect_dataset
from agent.data.readers.containers import PartRead, ReadSoFar
from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import FindingCode
from tests.agent.data.child import ask_child
from tests.agent.data.test_formats import written
from tests.fakes.workbooks import Cell, Sheets, ods, packed, sheet, xlsx

HEADER: list[Cell] = ["question", "answer", "count"]
TICKETS: list[list[Cell]] = [[f"Where is {n}?", f"At shelf {n}, or so.", n] for n in range(12)]
ROWS = [{"question": asked, "answer": told, "count": str(count)} for asked, told, count in TICKETS]
XLS = Path("tests/fixtures/workbook/tickets.xls")


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_sheet_is_a_table(tmp_path: Path, write: Callable[[Sheets], bytes]) -> None:
    content = write({"Tickets": [HEADER, *TICKETS]})
    for way in (content, gzip.compress(content)):
        assert [row.value for row in read_rows(written(tmp_path, way))] == ROWS


def test_the_older_form_of_excel_is_read_too() -> None:
    assert [row.value for row in read_rows(XLS)] == ROWS


@pytest.mark.parametrize("write", [xlsx, ods])
def test_cells_are_what_was_typed(tmp_path: Path, write: Callable[[Sheets], bytes]) -> None:
    cells: list[Cell] = ["  007 ", 1, 0, 1.5, 12345678901, True, "true", "line\nbreak", "1.0"]
    path = written(tmp_path, write({"A": [[f"c{n}" for n in range(len(cells))], cells]}))
    row = next(read_rows(path)).value or {}
    typed = ["007", "1", "0", "1.5", "12345678901", "TRUE", "true", "line\nbreak", "1.0"]
    assert list(row.values()) == (typed if write is xlsx else [*typed[:7], row["c7"], "1.0"])


def test_what_surrounds_a_table_is_none_of_it(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["Our tickets"], [], [None, *HEADER], *([None, *row] for row in TICKETS), [], [None, "", "", ""],
    ]  # fmt: skip
    read = list(read_rows(written(tmp_path, xlsx({"A": rows}))))
    assert [row.value for row in read] == ROWS
    assert [(row.unit, row.line) for row in read[:2]] == [("Row", 4), ("Row", 5)]


def test_rows_without_a_header_have_numbered_columns(tmp_path: Path) -> None:
    read = list(read_rows(written(tmp_path, xlsx({"A": TICKETS}))))
    assert len(read) == 12
    assert read[0].value == dict(zip(("column 1", "column 2", "column 3"), ROWS[0].values(), strict=True))


def test_of_several_sheets_the_one_with_known_columns_is_read_and_that_is_said(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    notes: list[list[Cell]] = [["who", "what"], ["Mia", "shelves"], ["Tom", "doors"]]
    sheets: Sheets = {"Cover": [["Tickets of March"]], "Notes": notes, "Tickets": [HEADER, *TICKETS], "Old": notes}
    meter = ReadSoFar()
    path = written(tmp_path, xlsx(sheets, hidden="Old"))
    assert [row.value for row in read_rows(path, meter)] == ROWS
    assert meter.part == PartRead(read=("Tickets",), left=("Notes",))
    found = inspect_dataset(path, smollm2_card)
    told = next(it.message for it in found.findings if it.code is FindingCode.part_read)
    assert told == "Read: “Tickets”. Left out: “Notes”."
    assert told in found.notes
    unknown = {name: rows for name, rows in sheets.items() if name != "Tickets"}
    assert next(read_rows(written(tmp_path, xlsx(unknown, hidden="Old")))).value == {"who": "Mia", "what": "shelves"}


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (xlsx({"A": []}), ErrorCode.dataset_empty, "no sheet with rows"),
        (xlsx({"A": [HEADER]}), ErrorCode.dataset_empty, "no sheet with rows"),
        (xlsx({"A": [["a", "a"], ["b", "c"]]}), ErrorCode.dataset_broken, "2 columns called “a”"),
        (packed({"xl/workbook.xml": "<"}), ErrorCode.dataset_broken, "cannot be read as a workbook"),
        (XLS.read_bytes()[:700], ErrorCode.dataset_broken, "cannot be read as a workbook"),
        (
            packed({"xl/workbook.xml": "<", "xl/worksheets/a.xml": sheet([], '<row><c r="XFD1048576"/></row>')}),
            ErrorCode.file_too_large,
            "reaches over 1,048,576 rows and 16,384 columns",
        ),
        (
            packed({"xl/workbook.xml": "<", "xl/worksheets/a.xml": " " * (17 << 20)}),
            ErrorCode.file_too_large,
            "unpacks to more than 16 MiB",
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, code: ErrorCode, words: str) -> None:
    with pytest.raises(AgentError, match=words) as refused:
        list(read_rows(written(tmp_path, content)))
    assert refused.value.code is code


@pytest.mark.process
async def test_the_limited_child_reads_one_too(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = written(tmp_path, xlsx({"Tickets": [HEADER, *TICKETS]}))
    reply = await ask_child(InspectRequest(dataset=str(path), card=smollm2_card))
    assert reply.findings is not None
    assert reply.findings.rows == 12
