"""How many rows train, decide when to stop, and give the verdict. Pure, and without numpy: the agent plans with it."""

THREE_WAY_FROM = 100  # rows; below, a third part would be too small to say anything
HELD_OUT = 0.1  # each of validation and test; the seeds ask for 10 to 20 % in all
FEW_ROWS = 100  # below it a file is small for any method
SOLID_ROWS = 500
MIN_ROWS = 10  # usable rows below which nothing can be learned or measured; OpenAI's own minimum


def split_sizes(rows: int) -> tuple[int, int, int]:
    """Return how many rows go to train, validation and test."""
    held_out = max(2, round(rows * HELD_OUT))
    test = held_out if rows >= THREE_WAY_FROM else 0
    return rows - held_out - test, held_out, test
