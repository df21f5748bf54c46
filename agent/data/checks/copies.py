"""Rows that say the same: exact copies among all rows, near ones among a sample, and what the split makes of them.

Near means: of the words in threes (MinHash of 128 permutations, LSH in 16 bands), at least 80 % are the same.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash, RMinHashLSH

from agent.data.split import split_rows
from agent.data.split_sizes import HELD_OUT

SAMPLE = 20_000  # rows that are compared, at most
SIMILAR = 0.8
PERMUTATIONS, BANDS, SEED = 128, 16, 42
CROWD = 64  # rows that are like a row but not nearly the same; behind so many it is compared with no more
WORD = re.compile(r"\w+")
DEFAULT_SPLIT_SEED = 42  # of a plan that asks for no other


def later_copies(hashes: Sequence[int]) -> NDArray[np.bool_]:
    """Return for each row whether an earlier one is the same. 8 bytes a row, however many there are."""
    values = np.asarray(hashes, dtype=np.int64)
    copies = np.ones(len(values), dtype=np.bool_)
    copies[np.unique(values, return_index=True)[1]] = False
    return copies


def fingerprint(text: str) -> RMinHash:
    """Return what two texts are compared by."""
    words = WORD.findall(text.lower())
    if len(words) * 8 < len(text) and not text.isascii():  # a script without spaces: by characters
        words = [char for char in text if char.isalnum()]
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    minhash.update([" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))])
    return minhash


def near_pairs(fingerprints: Sequence[RMinHash]) -> list[tuple[int, int]]:
    """Return (row, an earlier row nearly the same), at most one for each row.

    A template that fills many rows is in all of them: what begins a crowd is compared with what comes later, the rest
    of the crowd is not, or the time would grow with its square.
    """
    index = RMinHashLSH(threshold=SIMILAR, num_perm=PERMUTATIONS, num_bands=BANDS)
    pairs = []
    for number, minhash in enumerate(fingerprints):
        like = sorted(index.query(minhash))
        found = (other for other in like if minhash.jaccard(fingerprints[other]) >= SIMILAR)
        if (first := next(found, None)) is not None:
            pairs.append((number, first))
        elif len(like) < CROWD:
            index.insert(number, minhash)  # the first of its kind alone, so that a thousand copies stay cheap
    return pairs


def kept_together(rows: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the rows as they are to be split: those that are nearly the same equal each other, and stay on one side.

    More than a tenth of all rows, which is what one part has, are no copies but a template: they are dealt one by one.
    """
    dealt = list(rows)
    for first, kind in _kinds(pairs).items():
        if len(kind) <= HELD_OUT * len(rows):
            for row in kind:
                dealt[row] = rows[first]
    return dealt


def leaked(rows: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the held-out rows that have a near copy among the trained ones, as the default seed deals them."""
    train = set(split_rows(rows, DEFAULT_SPLIT_SEED).train)
    return sorted(row for kind in _kinds(pairs).values() if train & set(kind) for row in kind if row not in train)


def _kinds(pairs: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """Return the rows that are nearly the same, by the first of them."""
    kinds: dict[int, list[int]] = {}
    for row, first in pairs:
        kinds.setdefault(first, [first]).append(row)
    return kinds
