"""Thousands of phrases looked for at one place of a text, in time that does not grow with their number. Pure."""

from collections.abc import Iterable
from typing import Any

_END = ""  # a key that no character is


class Phrases:
    """A tree of phrases, character by character, whatever their case."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._root: dict[str, Any] = {}
        for phrase in phrases:
            node = self._root
            for char in phrase.casefold():
                node = node.setdefault(char, {})
            node[_END] = phrase

    def longest(self, text: str, start: int) -> tuple[str, int] | None:
        """Return the longest phrase that stands at `start` and ends no word in its middle, and where it ends."""
        node, found = self._root, None
        for at in range(start, len(text)):
            for char in text[at].casefold():
                if (deeper := node.get(char)) is None:
                    return found
                node = deeper
            if _END in node and not is_of_a_word(text[at + 1 : at + 2]):
                found = node[_END], at + 1
        return found


def is_of_a_word(char: str) -> bool:
    """Say whether a character is one that words are made of, as a pattern has it."""
    return char.isalnum() or char == "_"
