"""Batches of rows of like length, so that little is padded; the same order for the same seed and epoch.

A batch is an effective one: how many of its rows are computed at once changes nothing of the order.
"""

import random
from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

POOL_BATCHES = 32  # sorted together: more wastes less padding, fewer mixes better
Lengths = Sequence[int] | NDArray[np.int32]


class LengthGroupedSampler(Sampler[int]):
    """Shuffles all rows, sorts pools of them by length, then shuffles the batches."""

    def __init__(self, lengths: Lengths, *, batch_size: int, seed: int) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of epoch `epoch`; the Trainer calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(grouped_order(self._lengths, batch_size=self._batch_size, seed=self._seed, epoch=self._epoch))


def grouped_order(lengths: Lengths, *, batch_size: int, seed: int, epoch: int) -> "array[int]":
    """Return the row numbers of one epoch. The short last batch stays last, so that it is the only short one."""
    rng = random.Random(f"{seed}-{epoch}")
    rows = array("I", range(len(lengths)))
    rng.shuffle(rows)
    whole = len(rows) - len(rows) % batch_size
    pool = batch_size * POOL_BATCHES
    for start in range(0, whole, pool):
        end = min(start + pool, whole)
        rows[start:end] = array("I", sorted(rows[start:end], key=lambda row: lengths[row]))
    batches = array("I", range(0, whole, batch_size))
    rng.shuffle(batches)
    order = array("I")
    for start in batches:
        order += rows[start : start + batch_size]
    return order + rows[whole:]
