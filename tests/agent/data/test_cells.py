"""Rows with turns and labels, as they come out of a table: they must mean what they meant in JSON."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow as pa
import pytest
from pyarrow import parquet

from agent.data.chat_rows import detect_form, to_messages
from agent.data.readers.cells import unfold
from agent.data.readers.formats import read_rows
from agent.data.readers.raw_row import RawRow

TALK = [{"from": "human", "value": "Hi,\nit's “me”"}, {"from": "gpt", "value": "Hello"}]
TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
FORMS: dict[str, dict[str, Any]] = {
    "messages": {"messages": TURNS},
    "messages with tools": {"messages": TURNS, "tools": TOOLS},
    "sharegpt": {"conversations": TALK},
    "alpaca with history": {"instruction": "Bye", "input": "", "output": "See you", "history": [["Hi", "Hello"]]},
    "preference": {"conversations": TALK[:1], "chosen": TALK[1], "rejected": {"from": "gpt", "value": "What?"}},
    "preference of talks": {"chosen": TURNS, "rejected": TURNS},
    "prompt and completion of turns": {"prompt": TURNS[:1], "completion": TURNS[1:]},
    "labelled": {"messages": TURNS, "label": True},
    "labelled pair": {"prompt": "Hi", "completion": "Hello", "label": True},
}


def table(row: dict[str, Any], write: Callable[[Any], str], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, delimiter=delimiter)
    lines.writerow(row)
    lines.writerow([cell if isinstance(cell, str) else write(cell) for cell in row.values()])
    return text.getvalue().encode()


def of_pandas(row: dict[str, Any], *, index: bool) -> bytes:
    return str(pandas.DataFrame([row]).to_csv(index=index)).encode()


def of_parquet(row: dict[str, Any], write: Callable[[Any], Any]) -> bytes:
    packed = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([{key: write(value) for key, value in row.items()}]), packed)
    return packed.getvalue()


def as_numpy_prints(cell: Any) -> str:
    """Write a list of turns without commas, as pandas does when it comes from Parquet."""
    is_of_turns = isinstance(cell, list) and isinstance(cell[0], dict)
    return str(numpy.array(cell, dtype=object)) if is_of_turns else repr(cell)


TABLES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "csv with JSON": lambda row: table(row, json.dumps),
    "csv as Python prints": lambda row: table(row, repr),
    "csv as numpy prints": lambda row: table(row, as_numpy_prints),
    "tsv with JSON": lambda row: table(row, json.dumps, "\t"),
    "csv of pandas": lambda row: of_pandas(row, index=False),
    "csv of pandas, numbered": lambda row: of_pandas(row, index=True),
    "parquet": lambda row: of_parquet(row, lambda value: value),
    "parquet with JSON": lambda row: of_parquet(row, lambda it: it if isinstance(it, str | bool) else json.dumps(it)),
}


@pytest.mark.parametrize("write", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("row", FORMS.values(), ids=FORMS)
def test_a_row_says_the_same_in_a_table(
    tmp_path: Path, row: dict[str, Any], write: Callable[[dict[str, Any]], bytes]
) -> None:
    path = tmp_path / "table"
    path.write_bytes(write(row))
    (read,) = read_rows(path)
    assert read.value is not None
    form = detect_form(set(row))
    assert form is not None
    assert detect_form(set(read.value)) is form
    assert to_messages(read.value, form) == to_messages(row, form)


@pytest.mark.parametrize(
    "text",
    [
        "[1] See the notes.",
        "{name}, hello",
        "[]",
        '[{"name": "Mia"}]',
        "[]x",
        "[1, 2]",
        "[" * 100_000,
        "[" * 150 + "]" * 150,
        "{" * 300,
        "['\\d",
    ],
)
def test_a_text_that_begins_like_a_list_stays_a_text(text: str) -> None:
    row = RawRow(line=1, value={"prompt": text, "chosen": text, "rejected": "x"})
    assert unfold(row).value == row.value


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("True", True),
        ("false", False),
        ("1", True),
        (0, False),
        ("0.0", False),
        ("maybe", "maybe"),
        (2, 2),
        (None, None),
    ],
)
def test_a_label_is_yes_or_no_however_it_is_written(label: Any, meant: Any) -> None:
    value = {"prompt": "Hi", "completion": "Hello", "label": label}
    assert unfold(RawRow(line=1, value=value)).value == value | {"label": meant}
