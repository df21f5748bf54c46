"""Which rows train, which decide when to stop, which give the verdict. Pure, and the same for the same seed."""

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.data.split_sizes import split_sizes


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers, counted from 0 over the kept rows, each part in ascending order. Four bytes a row."""

    train: "array[int]"
    validation: "array[int]"
    test: "array[int]"  # empty: validation doubles as test, and its figure is optimistic


def split_rows(rows: Sequence[int], seed: int) -> Split:
    """Deal rows, each given by a number, into the three parts.

    Equal numbers go to the same part, so that no held-out row was trained on. Takes some 50 bytes a row while it works.
    """
    group_of, sizes = _groups(np.asarray(rows, dtype=np.int64))
    order = _shuffled(len(sizes), seed)
    _, validation, test = split_sizes(len(rows))
    held_out, order = _take(order, sizes, validation)
    tested, order = _take(order, sizes, test)
    part_of = np.zeros(len(sizes), dtype=np.uint8)
    part_of[held_out], part_of[tested] = 1, 2
    train, held, test_rows = (_as_array(np.flatnonzero(part_of[group_of] == part)) for part in range(3))
    return Split(train=train, validation=held, test=test_rows)


def _groups(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the number of its group of equal rows, in the order of their first, and the groups' sizes."""
    _, first, group_of, sizes = np.unique(values, return_index=True, return_inverse=True, return_counts=True)
    by_first = np.argsort(first)
    number = np.empty_like(by_first)
    number[by_first] = np.arange(len(first))
    return number[group_of], sizes[by_first]


def _shuffled(count: int, seed: int) -> NDArray[np.int64]:
    order = array("q", range(count))
    random.Random(seed).shuffle(order)
    return np.frombuffer(order, dtype=np.int64)


def _take(
    groups: NDArray[np.int64], sizes: NDArray[np.int64], wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take whole groups of equal rows, those without copies first, until there are enough rows."""
    groups = groups[np.argsort(sizes[groups], kind="stable")]
    rows = sizes[groups]
    before = np.cumsum(rows) - rows
    taken = int(np.searchsorted(before, wanted))
    return groups[:taken], groups[taken:]


def _as_array(numbers: NDArray[np.int64]) -> "array[int]":
    return array("I", numbers.astype(np.uint32).tobytes())
