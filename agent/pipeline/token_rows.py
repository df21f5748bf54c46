"""The rows of a job as tokens on disk: written once as an Arrow stream, read through a memory map, never held whole."""

import mmap
import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agent.job_folder.durable import sync_folder
from agent.job_folder.folder import JobFolder
from shared.schema import Response

PARTS = ("train", "validation", "test")
BLOCK_TOKENS = 1 << 18  # written at once
READS = 256  # rows after which the memory map gives its pages back; a read maps some 64 KiB around the row


class TokenRow(Response):
    """One row, ready for a batch."""

    input_ids: list[int]
    labels: list[int]  # -100 where not trained on
    wanted: bool = True  # whether the answer was found good


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Some rows one after the other, as views of the memory map."""

    ends: NDArray[np.int32]  # of each row, after the start of the first
    input_ids: NDArray[np.int32]
    labels: NDArray[np.int32]
    wanted: NDArray[np.bool_]


class TokenRows(Sequence[TokenRow]):
    """The rows of one part. Holds eight bytes a row; the tokens stay on disk until they are asked for."""

    def __init__(self, file: Path, numbers: NDArray[np.uint32]) -> None:
        with file.open("rb") as opened:
            self._map = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        self._blocks = [_block(batch) for batch in pa.ipc.open_stream(pa.py_buffer(self._map))]
        self._starts = np.cumsum([0, *(len(block.ends) - 1 for block in self._blocks)]).tolist()
        self._numbers = numbers
        lengths = [np.diff(block.ends) for block in self._blocks]
        self.lengths: NDArray[np.int32] = np.concatenate([*lengths, np.empty(0, dtype=np.int32)])[numbers]
        wanted = np.concatenate([*(block.wanted for block in self._blocks), np.empty(0, dtype=np.bool_)])[numbers]
        self.wanted_share = float(wanted.mean()) if len(wanted) else 1.0
        self._reads = 0
        self._give_pages_back()

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> TokenRow: ...
    @overload
    def __getitem__(self, at: slice) -> list[TokenRow]: ...
    def __getitem__(self, at: int | slice) -> TokenRow | list[TokenRow]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        self._reads += 1
        if self._reads % READS == 0:
            self._give_pages_back()
        number = int(self._numbers[at])
        place = bisect_right(self._starts, number) - 1
        block, inside = self._blocks[place], number - self._starts[place]
        start, end = block.ends[inside : inside + 2]
        return TokenRow(
            input_ids=block.input_ids[start:end].tolist(),
            labels=block.labels[start:end].tolist(),
            wanted=bool(block.wanted[inside]),
        )

    def _give_pages_back(self) -> None:
        """Let go of what was mapped: or a pass over the rows would count as memory of their size."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def _block(batch: Any) -> _Block:
    ids, labels = batch.column("input_ids"), batch.column("labels")
    judged = "wanted" in batch.schema.names  # not in what a version before pairs and labels has written
    wanted = np.from_dlpack(batch.column("wanted")) != 0 if judged else np.ones(len(ids), dtype=np.bool_)
    return _Block(ends=_view(ids.offsets), input_ids=_view(ids.values), labels=_view(labels.values), wanted=wanted)


def _view(values: Any) -> NDArray[np.int32]:
    """Return an Arrow array as it lies in memory; its own `to_numpy` would import pandas."""
    return np.from_dlpack(values).astype(np.int32, copy=False)


def read_rows(folder: JobFolder, part: str) -> TokenRows:
    """Open the rows of `train`, `validation` or `test`."""
    if not _parts_file(folder).exists():
        _take_over_json(folder)
    parts = np.load(_parts_file(folder), allow_pickle=False)
    return TokenRows(_tokens_file(folder), np.flatnonzero(parts == PARTS.index(part)).astype(np.uint32))


def write_parts(folder: JobFolder, parts: NDArray[np.uint8]) -> None:
    """Say of each written row in which of the parts it is; without this file the rows are not complete."""
    with _replaced(_parts_file(folder)) as file:
        np.save(file, parts)


class RowWriter:
    """Appends rows to the Arrow stream, some hundred thousand tokens at once."""

    def __init__(self, file: Any) -> None:
        tokens = pa.list_(pa.int32())
        self._stream = pa.ipc.new_stream(
            file, pa.schema([("input_ids", tokens), ("labels", tokens), ("wanted", pa.uint8())])
        )
        self._begin_block()

    def add(self, input_ids: list[int], labels: list[int], *, wanted: bool = True) -> None:
        """Write one row."""
        self._wanted.append(wanted)
        self._ids.extend(input_ids)
        self._labels.extend(labels)
        self._ends.append(len(self._ids))
        if len(self._ids) >= BLOCK_TOKENS:
            self._write_block()

    def finish(self) -> None:
        """Write what is left, and the end of the stream."""
        self._write_block()
        self._stream.close()

    def _begin_block(self) -> None:
        self._ids, self._labels, self._ends, self._wanted = array("i"), array("i"), array("i", [0]), bytearray()

    def _write_block(self) -> None:
        columns = [pa.ListArray.from_arrays(_int32(self._ends), _int32(values)) for values in (self._ids, self._labels)]
        wanted = pa.array(np.frombuffer(self._wanted, dtype=np.uint8))
        self._stream.write_batch(
            pa.RecordBatch.from_arrays([*columns, wanted], names=["input_ids", "labels", "wanted"])
        )
        self._begin_block()


def _int32(values: "array[int]") -> Any:
    return pa.array(np.frombuffer(values, dtype=np.int32))


@contextmanager
def writing_rows(folder: JobFolder) -> Iterator[RowWriter]:
    """Give what writes the rows of all parts; where that breaks off, nothing is left."""
    with _replaced(_tokens_file(folder)) as file:
        writer = RowWriter(file)
        yield writer
        writer.finish()


@contextmanager
def _replaced(path: Path) -> Iterator[Any]:
    """Give a file that takes the place of `path` once all of it is on disk."""
    path.parent.mkdir(exist_ok=True)
    staged = path.with_name(f".{path.name}.part")
    try:
        with staged.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _take_over_json(folder: JobFolder) -> None:
    """Rewrite the rows that a version before Arrow has left: a job prepared then goes on with them."""
    files = [folder.path / "rows" / f"{part}.jsonl" for part in PARTS]
    parts = bytearray()
    with writing_rows(folder) as writer:
        for number, file in enumerate(files):
            with file.open("rb") as lines:
                for line in lines:
                    row = TokenRow.model_validate_json(line)
                    writer.add(row.input_ids, row.labels)
                    parts.append(number)
    write_parts(folder, np.frombuffer(parts, dtype=np.uint8))
    for file in files:
        file.unlink()


def _tokens_file(folder: JobFolder) -> Path:
    return folder.path / "rows" / "tokens.arrow"


def _parts_file(folder: JobFolder) -> Path:
    return folder.path / "rows" / "parts.npy"
