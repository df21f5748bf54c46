"""Which of the held-out questions shows best what was learned. Pure."""

from difflib import SequenceMatcher

WORDS = 200  # of an answer that are compared


def telling(base: str, tuned: str, expected: str) -> float:
    """Return how well an answer shows what was learned, -1 to 1: like its own row's, and unlike the base model's.

    An answer that has the style but a wrong fact is less like its row's than one that has both.
    """
    return _alike(tuned, expected) - _alike(tuned, base)


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, _words(one), _words(other), autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return text.lower().split()[:WORDS]
