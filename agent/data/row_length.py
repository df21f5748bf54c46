"""How many tokens of a row are read. Pure."""

import math

USUAL_MAX_LENGTH = 2048  # tokens, unless a person or a preset says otherwise
STEP = 64


def fitting_length(longest: int, context_length: int, most: int = USUAL_MAX_LENGTH) -> int:
    """Return the tokens a row may have: as long as the data, no longer, and never more than the model reads."""
    return min(STEP * math.ceil(longest / STEP), context_length, most)
