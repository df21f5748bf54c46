"""Where answers stand in a talk's text, and where each of them ends. Pure."""

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


def ended(said: str, eos_tokens: Sequence[str], *, goes_on: str) -> str | None:
    """Return an answer up to its end-of-turn token; None for one without. `goes_on`: what stands before a question.

    Some templates end no turn: then what begins the next one is the end. Some end the whole text once more behind it.
    """
    ends = [said.rfind(token) + len(token) for token in eos_tokens if token in said]
    if not ends:
        begun = [goes_on.index(token) + len(token) for token in eos_tokens if goes_on.lstrip().startswith(token)]
        return said + goes_on[: max(begun)] if begun else None
    said = said[: max(ends)]
    while earlier := _without_last_end(said, eos_tokens):
        said = earlier
    return said


def _without_last_end(said: str, eos_tokens: Sequence[str]) -> str | None:
    """Return a text that ends with two ends of a turn without the second; None for any other."""
    last = max((token for token in eos_tokens if said.endswith(token)), key=len)
    before = said.removesuffix(last).rstrip()
    return before if before.endswith(tuple(eos_tokens)) else None
