"""Logs of text-generation-webui: pairs of what was said and answered, `internal` as the model saw them."""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, turn

KEYS = (("internal", "visible"), ("data", "data_visible"))  # in old logs the second
GREETING = "<|BEGIN-VISIBLE-CHAT|>"  # stands in place of a question before the first answer


def fits(first: list[Row]) -> bool:
    """Say whether rows are logs."""
    return _pairs(first[0]) is not None


def turns(row: Row) -> list[Turn] | None:
    """Return what was said; None where a row is no log."""
    pairs = _pairs(row)
    return None if pairs is None else joined(_turns(pairs))


def _pairs(row: Row) -> list[list[Any]] | None:
    for internal, visible in KEYS:
        pairs = row.get(internal) if internal in row and visible in row else None
        if isinstance(pairs, list) and pairs and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            return pairs
    return None


def _turns(pairs: list[list[Any]]) -> list[Turn]:
    return [
        turn(role, text)
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
        if isinstance(text, str) and text != GREETING
    ]
