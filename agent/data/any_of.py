"""A pattern that finds any of many words, in time that hardly grows with their number. Pure."""

import re
from collections.abc import Iterable
from typing import Any

_END = ""  # a key that no character is
DEPTH = 40  # groups within groups, which `re` bears; below it words are tried one by one


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return what matches the longest of the words that stands at a place.

    `re` tries alternatives one after the other: 70,000 tokens of one beginning took 180 s for 1 MB of that beginning,
    and as a tree, character by character, 3 ms.
    """
    return re.compile(_pattern(_tree(words), DEPTH))


def _tree(words: Iterable[str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for char in word:
            node = node.setdefault(char, {})
        node[_END] = {}
    return root


def _pattern(node: dict[str, Any], depth: int) -> str:
    if not depth:
        return f"(?:{'|'.join(map(re.escape, sorted(_ends(node), key=len, reverse=True)))})"
    alternatives = []
    for char, deeper in node.items():
        if char == _END:
            continue
        stretch = char
        while len(deeper) == 1 and _END not in deeper:
            [(char, deeper)] = deeper.items()
            stretch += char
        alternatives.append(re.escape(stretch) + _pattern(deeper, depth - 1))
    if not alternatives:
        return ""
    return f"(?:{'|'.join(alternatives)}){'?' if _END in node else ''}"


def _ends(node: dict[str, Any]) -> list[str]:
    """Return what words go on with below a node, without recursion."""
    ends, open_nodes = [], [("", node)]
    while open_nodes:
        stretch, here = open_nodes.pop()
        for char, deeper in here.items():
            if char == _END:
                ends.append(stretch)
            else:
                open_nodes.append((stretch + char, deeper))
    return ends
