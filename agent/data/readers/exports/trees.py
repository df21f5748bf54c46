"""The one talk through a tree of messages, in which questions and answers were written more than once. Pure."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Message = TypeVar("Message")


def best_paths(
    messages: Iterable[Message],
    key: Callable[[Message], Hashable],
    parent: Callable[[Message], Hashable | None],
    rank: Callable[[Message], float],
) -> list[list[Message]]:
    """Return the best talk of each tree: of several replies the one of the lowest rank, then the longest talk.

    What points at no message that is there begins a tree; what lies in a circle is left out.
    """
    known = {key(it): it for it in messages}
    replies: dict[Hashable, list[Message]] = {}
    roots = []
    for name, it in known.items():
        above = parent(it)
        if above is None or above not in known or above == name:
            roots.append(it)
        else:
            replies.setdefault(above, []).append(it)
    return [_path(root, key, replies, rank) for root in roots]


def _path(
    root: Message,
    key: Callable[[Message], Hashable],
    replies: dict[Hashable, list[Message]],
    rank: Callable[[Message], float],
) -> list[Message]:
    below: list[Message] = [root]
    for it in below:  # grows while it is walked: parents before their replies
        below += replies.get(key(it), [])
    depth: dict[Hashable, int] = {}
    for it in reversed(below):
        depth[key(it)] = 1 + max((depth[key(reply)] for reply in replies.get(key(it), [])), default=0)
    path = [root]
    while following := replies.get(key(path[-1])):
        path.append(min(following, key=lambda it: (rank(it), -depth[key(it)])))
    return path
