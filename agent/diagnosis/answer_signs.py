"""What the answers of a finished model show by themselves: they end, they are there, they do not go round. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

PHRASE = 4  # words; a text that goes round says the same ones again and again
ROUND_SHARE = 0.5  # of the phrases of a text are repetitions, for it to go round
LONG_ENOUGH = 16  # words: shorter texts repeat by chance
TOLD_BY_HEART = 40  # characters: a shorter answer may be a label
_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, kw_only=True)
class AnswerSigns:
    """How many of the answers that were looked at show what."""

    answers: int
    endless: int = 0  # did not end by themselves
    empty: int = 0
    repeating: int = 0  # say the same again and again
    by_heart: int = 0  # are, word for word, answers of training rows to other questions


def look_at(
    texts: Sequence[str], *, endless: int, expected: Sequence[str], trained: Collection[int] = frozenset()
) -> AnswerSigns:
    """Return what answers show; `trained` has the digests of the answers that were trained on."""
    return AnswerSigns(
        answers=len(texts),
        endless=endless,
        empty=sum(not text.strip() for text in texts),
        repeating=sum(map(goes_round, texts)),
        by_heart=sum(
            len(text.strip()) >= TOLD_BY_HEART and text.strip() != wanted.strip() and answer_digest(text) in trained
            for text, wanted in zip(texts, expected, strict=True)
        ),
    )


def goes_round(text: str) -> bool:
    """Say whether half of what a text says is said before in it, word for word."""
    words = _WORDS.findall(text.casefold())
    if len(words) < LONG_ENOUGH:
        return False
    phrases = Counter(zip(*(words[at:] for at in range(PHRASE)), strict=False))
    return phrases.total() - len(phrases) >= ROUND_SHARE * phrases.total()


def answer_digest(text: str) -> int:
    """Return a number that is equal for answers of the same words."""
    told = " ".join(text.split()).encode("utf-8", "replace")
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "little", signed=True)
