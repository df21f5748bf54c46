"""Rows of a workbook of Excel or LibreOffice, by python-calamine: of its first sheet that looks like a table.

Cells are texts, as a CSV would have them. The child's memory is bounded, and what would unpack or spread to too much is
refused before it is loaded.
"""

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agent.data.chat_rows import detect_form
from agent.data.readers.containers import (
    WHOLE_BYTES,
    PartRead,
    Upload,
    broken_archive,
    refuse_unpacked,
    unpacked_limit,
)
from agent.data.readers.raw_row import RawRow
from agent.data.readers.tables import begins_with_data, column_names
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, grouped

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

EXACT = 2**53  # a whole number up to here is what was typed
CELLS = 20_000_000  # of a sheet: between the first and the last, each takes memory, filled or not
CHUNK = 1 << 20
_PLACE = re.compile(rb'<c [^<>]{0,200}?\br="([A-Z]{1,3})(\d{1,7})"')  # of a cell, as Excel writes it
_OVERLAP = 400  # bytes of a chunk that are looked at again with the next


def read_workbook(upload: Upload) -> Iterator[RawRow]:
    """Yield the rows of a sheet. Raises AgentError where the workbook cannot be read."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    content = upload.read(WHOLE_BYTES)
    if content is None:
        refuse_unpacked(WHOLE_BYTES)
    _check_size(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            names = [it.name for it in book.sheets_metadata if it.visible == SheetVisibleEnum.Visible]
            tables = {name: _filled(book.get_sheet_by_name(name)) for name in names}
    except PasswordError as error:
        raise AgentError(
            _("The workbook has a password. Save it without one and send it again."), code=ErrorCode.dataset_broken
        ) from error
    except (CalamineError, ValueError, OSError) as error:
        raise AgentError(
            _("The file cannot be read as a workbook ({reason}). Save its sheet as CSV (UTF-8) and send that.",
              reason=(str(error).splitlines() or [""])[0][:120]),
            code=ErrorCode.dataset_broken,
        ) from error  # fmt: skip
    full = {name: rows for name, rows in tables.items() if len(rows) > 1}
    if not full:
        raise AgentError(
            _("The workbook has no sheet with rows. Send one with names of columns and, below them, rows."),
            code=ErrorCode.dataset_empty,
        )
    chosen = next((name for name, rows in full.items() if detect_form(rows[0][1]) is not None), next(iter(full)))
    if len(full) > 1:
        upload.meter.part = PartRead(read=(chosen,), left=tuple(name for name in full if name != chosen))
    yield from _rows(full[chosen])


def _filled(sheet: "CalamineSheet") -> list[tuple[int, list[str]]]:
    """Return the rows in which something stands, from the header on, with their numbers in the sheet."""
    first = (sheet.start or (0, 0))[0] + 1
    rows = [(number, list(map(_as_text, row))) for number, row in enumerate(sheet.iter_rows(), start=first)]
    rows = [(number, cells) for number, cells in rows if any(cells)]
    widest = max((sum(map(bool, cells)) for _number, cells in rows), default=0)
    header = next((at for at, (_number, cells) in enumerate(rows) if sum(map(bool, cells)) > widest / 2), 0)
    table = rows[header:]  # above it stands a title
    used = [place for place in range(sheet.width) if any(cells[place] for _number, cells in table)]
    return [(number, [cells[place] for place in used]) for number, cells in table]


def _as_text(cell: Any) -> str:
    """Return a cell as a CSV would have it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat(*([" "] if isinstance(cell, datetime.datetime) else []))
    return str(cell).strip() if isinstance(cell, str) else str(cell)


def _rows(table: list[tuple[int, list[str]]]) -> Iterator[RawRow]:
    is_named = not begins_with_data([cells for _number, cells in table])
    names = column_names(table[0][1] if is_named else [""] * len(table[0][1]))
    for number, cells in table[is_named:]:
        yield RawRow(line=number, unit="Row", value=dict(zip(names, cells, strict=True)))


def _check_size(content: bytes) -> None:
    """Refuse a workbook that unpacks to too much, or whose cells lie so far apart that memory is spent on none."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return  # the older form, which is not packed and has 16 million cells at most
    left = limit = unpacked_limit(len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                extent = _Extent()
                with archive.open(member) as file:
                    while chunk := file.read(CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            refuse_unpacked(limit)
                        extent.look_at(chunk)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise broken_archive(_("zip archive"), error) from error


class _Extent:
    """How far the cells of a sheet reach."""

    def __init__(self) -> None:
        self._rows = self._columns = 1
        self._rest = b""

    def look_at(self, chunk: bytes) -> None:
        """Follow the places of cells. Raises AgentError where they spread too far."""
        data = self._rest + chunk
        for column, row in _PLACE.findall(data):
            self._columns = max(self._columns, _column_number(column))
            self._rows = max(self._rows, int(row))
        if self._rows * self._columns > CELLS:
            raise AgentError(
                _("A sheet of the workbook reaches over {rows} rows and {columns} columns, and {limit} cells are read. "
                  "Save what you need of it as CSV (UTF-8) and send that.", rows=grouped(self._rows),
                  columns=grouped(self._columns), limit=grouped(CELLS)),
                code=ErrorCode.file_too_large,
            )  # fmt: skip
        self._rest = data[-_OVERLAP:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
