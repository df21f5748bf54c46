"""Batches of rows of like length, so that little is padded; the same order for the same seed and epoch."""

import random
from collections.abc import Iterator

from torch.utils.data import Sampler

POOL_BATCHES = 32  # sorted together: more wastes less padding, fewer mixes better


class LengthGroupedSampler(Sampler[int]):
    """Shuffles all rows, sorts pools of them by length, then shuffles the batches."""

    def __init__(self, lengths: list[int], *, batch_size: int, seed: int) -> None:
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


def grouped_order(lengths: list[int], *, batch_size: int, seed: int, epoch: int) -> list[int]:
    """Return the row numbers of one epoch. The short last batch stays last, so that it is the only short one."""
    dice = random.Random(f"{seed}-{epoch}")
    rows = list(range(len(lengths)))
    dice.shuffle(rows)
    whole = len(rows) - len(rows) % batch_size
    rows, rest = rows[:whole], rows[whole:]
    pool = batch_size * POOL_BATCHES
    batches = []
    for start in range(0, len(rows), pool):
        ordered = sorted(rows[start : start + pool], key=lambda row: lengths[row])
        batches += [ordered[at : at + batch_size] for at in range(0, len(ordered), batch_size)]
    dice.shuffle(batches)
    return [row for batch in batches for row in batch] + rest
