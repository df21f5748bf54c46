"""Talks as lists: xtuner's pairs of input and output; plain texts, question and answer by turns, as UltraChat's."""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, turn

KEYS = ("conversation", "conversations")
TEXT_KEYS = ("data", "dialog", "dialogue", "utterances", "turns", "messages", *KEYS)
PARTS = (("system", "system"), ("input", "user"), ("output", "assistant"))


def fits(first: list[Row]) -> bool:
    """Say whether rows are such talks."""
    return _pairs(first[0]) is not None or _texts(first[0]) is not None


def turns(row: Row) -> list[Turn] | None:
    """Return what was said; None where a row is of another kind."""
    if (pairs := _pairs(row)) is not None:
        return joined(
            turn(role, text) for pair in pairs for name, role in PARTS if isinstance(text := pair.get(name), str)
        )
    texts = _texts(row)
    if texts is None:
        return None
    return [turn("assistant" if place % 2 else "user", text) for place, text in enumerate(texts)]


def _pairs(row: Row) -> list[dict[str, Any]] | None:
    for key in KEYS:
        pairs = row.get(key)
        if isinstance(pairs, list) and pairs and all(isinstance(it, dict) and "output" in it for it in pairs):
            return pairs
    return None


def _texts(row: Row) -> list[str] | None:
    for key in TEXT_KEYS:
        texts = row.get(key)
        if isinstance(texts, list) and len(texts) > 1 and all(isinstance(it, str) and it.strip() for it in texts):
            return texts
    return None
