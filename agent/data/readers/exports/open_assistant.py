"""OpenAssistant's trees: whole ones with replies in replies, and flat rows of which each names its parent.

https://huggingface.co/datasets/OpenAssistant/oasst2
"""

from collections.abc import Iterator
from typing import Any

from agent.data.readers.exports.export import Row, bounded
from agent.data.readers.exports.talk import Turn, joined, talk_row, turn
from agent.data.readers.exports.trees import best_paths
from agent.data.readers.raw_row import RawRow

ROLES = {"prompter": "user", "assistant": "assistant", "user": "user", "human": "user"}
UNRANKED = 1_000.0  # comes behind whatever was ranked


def is_tree(first: list[Row]) -> bool:
    """Say whether rows are whole trees."""
    prompt = first[0].get("prompt")
    return isinstance(prompt, dict) and isinstance(prompt.get("text"), str) and "replies" in prompt


def tree_turns(row: Row) -> list[Turn] | None:
    """Return the best talk of a tree; None where a row is none."""
    prompt = row.get("prompt")
    if not isinstance(prompt, dict):
        return None
    nodes: list[tuple[int, int | None, dict[str, Any]]] = [(0, None, prompt)]
    for number, _parent, node in nodes:  # grows while it is walked
        replies = node.get("replies")
        below = [reply for reply in replies if isinstance(reply, dict)] if isinstance(replies, list) else []
        nodes += [(place, number, reply) for place, reply in enumerate(below, start=len(nodes))]
    [path] = best_paths(nodes, key=lambda it: it[0], parent=lambda it: it[1], rank=lambda it: _rank(it[2]))
    return joined(map(_turn, (node for _number, _parent, node in path)))


def is_flat(first: list[Row]) -> bool:
    """Say whether rows are messages of trees."""
    return all({"message_id", "parent_id", "role", "text"} <= row.keys() for row in first)


def read_flat(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield the best talk of each tree."""
    messages: list[tuple[RawRow, Row]] = []
    for raw in bounded(rows):
        if raw.value is None or not isinstance(raw.value.get("text"), str):
            yield raw
        elif not raw.value.get("deleted"):
            messages.append((raw, raw.value))
    paths = best_paths(
        messages,
        key=lambda it: str(it[1].get("message_id")),
        parent=lambda it: str(above) if (above := it[1].get("parent_id")) else None,
        rank=lambda it: _rank(it[1]),
    )
    for path in paths:
        first = path[0][0]
        yield talk_row(RawRow(line=first.line, unit=first.unit, value={}), joined(_turn(it) for _raw, it in path))


def _turn(message: dict[str, Any]) -> Turn:
    text = message.get("text")
    return turn(ROLES.get(str(message.get("role")), "user"), text if isinstance(text, str) else "")


def _rank(message: dict[str, Any]) -> float:
    try:
        return float(message["rank"])
    except (KeyError, TypeError, ValueError):
        return UNRANKED
