"""Which rows train, which decide when to stop, which give the verdict. Pure, and the same for the same seed."""

import random
from collections.abc import Hashable, Sequence
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


def split_rows(rows: Sequence[Hashable], seed: int) -> Split:
    """Deal rows into the three parts. Equal rows go to the same one, so that no held-out row was trained on."""
    places: dict[Hashable, list[int]] = {}
    for number, row in enumerate(rows):
        places.setdefault(row, []).append(number)
    order = list(places.values())
    random.Random(seed).shuffle(order)
    _, validation, test = split_sizes(len(rows))
    held_out, order = _take(order, validation)
    tested, order = _take(order, test)
    return Split(
        train=sorted(number for group in order for number in group), validation=sorted(held_out), test=sorted(tested)
    )


def _take(groups: list[list[int]], wanted: int) -> tuple[list[int], list[list[int]]]:
    """Take whole groups of equal rows, those without copies first, until there are enough rows."""
    taken: list[int] = []
    left: list[list[int]] = []
    for group in sorted(groups, key=len):
        if len(taken) < wanted:
            taken += group
        else:
            left.append(group)
    return taken, left
