"""A pattern that finds any of many words, in time that hardly grows with their number. Pure."""

import re
from collections.abc import Iterable
from typing import Any

_END = ""  # a key that no character is


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return what matches the longest of the words that stands at a place.

    `re` tries alternatives one after the other: 70,000 tokens of one beginning took 180 s for 1 MB of that beginning,
    and as a tree, character by character, 3 ms.
    """
    words = sorted(words, key=len, reverse=True)
    try:
        return re.compile(_pattern(_tree(words)))
    except RecursionError:  # hundreds of words, each of which begins the next
        return re.compile("|".join(map(re.escape, words)))


def _tree(words: Iterable[str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for char in word:
            node = node.setdefault(char, {})
        node[_END] = {}
    return root


def _pattern(node: dict[str, Any]) -> str:
    alternatives = []
    for char, deeper in node.items():
        if char == _END:
            continue
        stretch = char
        while len(deeper) == 1 and _END not in deeper:
            [(char, deeper)] = deeper.items()
            stretch += char
        alternatives.append(re.escape(stretch) + _pattern(deeper))
    if not alternatives:
        return ""
    return f"(?:{'|'.join(alternatives)}){'?' if _END in node else ''}"
