"""Which rows train, which decide when to stop, which give the verdict. Pure, and the same for the same seed."""

import random
from dataclasses import dataclass

THREE_WAY_FROM = 100  # rows; below, a third part would be too small to say anything
HELD_OUT = 0.1  # each of validation and test; the seeds ask for 10 to 20 % in all
MIN_ROWS = 10  # usable rows below which nothing can be learned or measured; OpenAI's own minimum


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers, counted from 0 over the kept rows, each part in ascending order."""

    train: list[int]
    validation: list[int]
    test: list[int]  # empty: validation doubles as test, and its figure is optimistic


def split_sizes(rows: int) -> tuple[int, int, int]:
    """Return how many rows go to train, validation and test."""
    held_out = max(2, round(rows * HELD_OUT))
    test = held_out if rows >= THREE_WAY_FROM else 0
    return rows - held_out - test, held_out, test


def split_rows(rows: int, seed: int) -> Split:
    """Deal `rows` rows into the three parts."""
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    train, validation, _ = split_sizes(rows)
    return Split(
        train=sorted(order[:train]),
        validation=sorted(order[train : train + validation]),
        test=sorted(order[train + validation :]),
    )
