"""How many tokens of a row are read. Pure."""

import math
from collections.abc import Sequence

USUAL_MAX_LENGTH = 2048  # tokens, unless a person or a preset says otherwise, or most answers need more
STEP = 64
MOST_ANSWERS = 75  # in a hundred: so many should be there to their end, or the model learns not to finish


def quantiles(values: Sequence[int]) -> list[int]:
    """Return 101 values from the least to the greatest, each for a hundredth of the rows."""
    ordered = sorted(values)
    return [ordered[round(part * (len(ordered) - 1) / 100)] for part in range(101)]


def most_end_by(answer_ends: Sequence[int]) -> int:
    """Return the tokens after which most answers have ended, of 101 quantiles; 0 where they are not known."""
    return answer_ends[MOST_ANSWERS] if answer_ends else 0


def fitting_length(longest: int, context_length: int, most: int = USUAL_MAX_LENGTH, *, needed: int = 0) -> int:
    """Return the tokens a row may have: as long as the data, no longer, and never more than the model reads.

    `most` holds unless most answers would be cut; `needed` is where those have ended.
    """
    return min(_in_steps(longest), context_length, max(most, _in_steps(needed)))


def _in_steps(tokens: int) -> int:
    return STEP * math.ceil(tokens / STEP)
