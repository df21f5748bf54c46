"""Where the answers of a long talk stand in its text, found in one pass. Pure."""

import re
from collections.abc import Sequence

LOOSE = 8  # spaces and line breaks that a template may put before an answer


def find_answers(
    full: str, opening: str, contents: Sequence[str], eos_tokens: Sequence[str]
) -> list[tuple[int, int]] | None:
    """Return begin and end of each answer, its end-of-turn token included; None where that is not certain.

    It is certain where each answer, and nothing else, stands behind `opening` as it was given.
    """
    if not opening or full.count(opening) != len(contents):
        return None
    end_of_turn = re.compile("|".join(map(re.escape, eos_tokens)))
    spans, end = [], 0
    for content in contents:
        before, said = full.find(opening, end), content.strip()
        start = before + len(opening)
        begin = full.find(said, start, start + len(said) + LOOSE)
        ended = end_of_turn.search(full, begin + len(said)) if min(before, begin) >= 0 else None
        if ended is None or full[start:begin].strip() or full[begin + len(said) : ended.start()].strip():
            return None  # a template that leaves out an end would have the next question learned, too
        end = ended.end()
        spans.append((start, end))
    return spans
