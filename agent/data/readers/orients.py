"""Rows of a JSON value that is no list of objects: by columns, by index, split, or question to answer. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from agent.data.chat_rows import detect_form
from agent.data.readers.nested import DEPTH, NESTED_KEYS, nested_rows
from agent.data.readers.raw_row import RawRow
from agent.data.readers.tables import UNNAMED

ALIKE = 0.8  # of the values, for a whole to have this shape
FEWEST = 2  # rows
LOOKED_AT = 100  # of them


def rows_of(whole: dict[str, Any], depth: int = DEPTH) -> list[Any] | None:
    """Return the rows that one object holds; None where it is a row itself or nothing known."""
    for read in (_split, _columns, _indexed, _questions, nested_rows):
        rows = read(whole)
        if rows is not None:
            return rows
    inner = [
        value for key, value in whole.items() if isinstance(value, dict) and (key in NESTED_KEYS or len(whole) == 1)
    ]
    return rows_of(inner[0], depth - 1) if inner and depth and detect_form(whole) is None else None


def keyed_rows(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield rows that have a question for their only key as question and answer; others as they are."""
    first = list(islice(rows, LOOKED_AT))
    keys = {key for row in first if row.value is not None for key in row.value}
    alone = all(row.value is None or [type(cell) for cell in row.value.values()] == [str] for row in first)
    everything = chain(first, rows)
    if not alone or len(keys) <= len(first) / 2 or len(keys) < FEWEST or not _are_prose(dict.fromkeys(keys)):
        return everything
    return (replace(row, value=_questions_of(row.value)) for row in everything)


def _questions_of(row: dict[str, Any] | None) -> dict[str, Any] | None:
    [(question, answer)] = row.items() if row is not None and len(row) == 1 else [(None, None)]
    return row if question is None else {"question": question, "answer": answer}


def listed_rows(rows: list[Any]) -> list[Any]:
    """Return rows that are lists of cells as objects; the first names the columns where its names are known ones."""
    if not rows or not all(map(_is_cells, rows)):
        return rows
    header, *below = rows
    if below and all(isinstance(cell, str) for cell in header) and detect_form(header) is not None:
        return [dict(zip(header, row, strict=False)) for row in below]
    return [named_cells(row) for row in rows]


def named_cells(cells: Any) -> Any:
    """Return a list of cells as a row whose columns have numbers for names; anything else as it is."""
    if not _is_cells(cells):
        return cells
    return {UNNAMED.format(number=number): cell for number, cell in enumerate(cells, start=1)}


def _is_cells(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 1
        and any(isinstance(cell, str) for cell in value)
        and all(cell is None or isinstance(cell, str | int | float) for cell in value)
    )


def _split(whole: dict[str, Any]) -> list[Any] | None:
    """Read what pandas calls `split`: names, and rows that are lists."""
    names, rows = whole.get("columns"), whole.get("data")
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    return [dict(zip(map(str, names), row, strict=False)) for row in rows]


def _columns(whole: dict[str, Any]) -> list[Any] | None:
    """Read columns that hold their cells as a list, or by number (`columns`, as pandas does by default)."""
    columns = list(whole.values())
    if columns and all(isinstance(column, dict) for column in columns):
        if not all(columns) or not all(map(_is_number, (key for column in columns for key in column))):
            return None
        places = list(dict.fromkeys(key for column in columns for key in column))
        return [{name: column.get(place) for name, column in whole.items()} for place in places]
    if not all(isinstance(column, list) and len(column) >= FEWEST for column in columns):
        return None
    if len(set(map(len, columns))) != 1 or any(isinstance(cell, dict) for column in columns for cell in column):
        return None  # turns are objects: then the whole is a row
    if len(columns) < 2 and detect_form(whole) is None:
        return None
    return [dict(zip(whole, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _indexed(whole: dict[str, Any]) -> list[Any] | None:
    """Read rows that stand under a number, an id or a question each."""
    rows = list(whole.values())
    if len(rows) < FEWEST or not all(isinstance(row, dict) and row for row in rows):
        return None
    first = set(rows[0])
    alike = sum(set(row) == first for row in rows) >= ALIKE * len(rows)
    if not alike or (detect_form(first) is None and not all(map(_is_number, whole)) and not _are_prose(whole)):
        return None
    if not _are_prose(whole) or "question" in first:
        return rows
    return [{"question": key} | row for key, row in whole.items()]


def _questions(whole: dict[str, Any]) -> list[Any] | None:
    """Read a mapping of question to answer."""
    texts = all(isinstance(value, str) for value in whole.values())
    if len(whole) < FEWEST or not texts or detect_form(whole) is not None or not _are_prose(whole):
        return None
    return [{"question": question, "answer": answer} for question, answer in whole.items()]


def _is_number(key: str) -> bool:
    return key.lstrip("-").isdecimal()


def _are_prose(keys: dict[str, Any]) -> bool:
    """Say whether keys are sentences or words of a language rather than names of columns."""
    return sum(" " in key.strip() or key.endswith("?") for key in keys) >= ALIKE * len(keys)
