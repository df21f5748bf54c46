"""What somebody most likely wants who writes no command: by phrases in English and German, forgiving slips. Pure."""

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, utils

from bot.words.meanings import MEANINGS, Meaning
from bot.words.option_words import said_options

LIKELY, SURE = 72.0, 84.0  # of 100: worth a button, worth doing where it changes nothing
WORTH = 74.0  # of a word of a meaning: a button, and never more
SPELT, NEARLY = 4, 80.0  # letters of a word that may have slips, and of 100 how alike it has to be
GUESSES = 3
_POLITE = re.compile(
    r"\b(?:please|pls|hey|hi|hello|hallo|bitte|mal|doch|jetzt|now|can you|could you|would you|i want to|i'd like to|"
    r"i would like to|let me|kannst du|könntest du|ich will|ich möchte|ich würde gern|the|my|mein|meine|der|die|das)\b",
    re.IGNORECASE,
)


_TO_TRAIN = re.compile(
    r"\b(?:/?fine-?\s?tune|train(?:ing|iere?n?)?|teach|learn|lern(?:e|en)?|a|an|ein(?:e|en)?|model[ls]?|modell|this|"
    r"that|it|on|from|for|with|dies(?:e[rnms]?)?|damit|darauf|mit|daraus|file|datei|data|daten|dataset)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A meaning, and how much what was said is like one of its phrases."""

    meaning: Meaning
    score: float  # up to 100
    named: bool = False  # a word of it stands there


def guesses(said: str) -> list[Guess]:
    """Return what somebody may mean, the likeliest first; nothing where no phrase is near."""
    whole = utils.default_process(said)
    short = utils.default_process(_POLITE.sub(" ", said)) or whole
    scored = [_guess({whole, short}, meaning) for meaning in MEANINGS]
    likely = sorted((guess for guess in scored if guess.score >= LIKELY), key=lambda guess: -guess.score)
    return likely[:GUESSES]


def asks_to_train(said: str) -> tuple[str, ...] | None:
    """Return the options that stand beside a file: `train on this, 5 epochs`; None where something else is said."""
    left = _TO_TRAIN.sub(" ", _POLITE.sub(" ", said)).strip(" \n.,;:!?")
    if not left:
        return ()
    return said_options(left)


def _guess(texts: set[str], meaning: Meaning) -> Guess:
    by_phrase = max(_alike(text, utils.default_process(phrase)) for text in texts for phrase in meaning.phrases)
    word = re.compile(rf"(?<!\w)(?:{meaning.words})(?!\w)") if meaning.words else None
    found = max(len(word.findall(text)) for text in texts) if word is not None else 0
    whole = any(_has_whole(text, phrase) for text in texts for phrase in meaning.phrases)
    by_word = min(SURE - 1, WORTH + found + 4 * whole) if found or whole else 0.0
    if not by_word and any(_misspelt(text, meaning) for text in texts):
        by_word = WORTH
    return Guess(meaning=meaning, score=max(by_phrase, by_word), named=found > 0)


def _has_whole(said: str, phrase: str) -> bool:
    """Say whether a phrase of several words stands in what was said, whatever stands around it."""
    phrase = utils.default_process(phrase)
    return " " in phrase and f" {phrase} " in f" {said} "


def _misspelt(said: str, meaning: Meaning) -> bool:
    """Say whether a word is nearly one of a meaning's own: cancle, slooow."""
    known = [word for word in meaning.words.split("|") if word.isalpha() and len(word) >= SPELT]
    words = [word for word in said.split() if len(word) >= SPELT]
    return any(fuzz.ratio(word, own) >= NEARLY for word in words for own in known)


def _alike(said: str, phrase: str) -> float:
    """Return how alike two texts are. That one's words stand in the other counts, the less the more stands beside."""
    within = fuzz.token_set_ratio(said, phrase)
    return 0.5 * within + 0.5 * fuzz.token_sort_ratio(said, phrase)
