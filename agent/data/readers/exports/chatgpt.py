"""Talks with ChatGPT, as conversations.json of its export has them: a tree of messages, of which one leaf is shown."""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, texts_of, turn

ROLES = ("system", "user", "assistant")
CONTENTS = ("text", "multimodal_text", None)  # of what is said; others are code, thoughts, pages that were looked up
HIDDEN = ("is_visually_hidden_from_conversation", "is_user_system_message", "is_redacted")


def fits(first: list[Row]) -> bool:
    """Say whether rows are talks."""
    mapping = first[0].get("mapping")
    return isinstance(mapping, dict) and any(
        isinstance(node, dict) and ("message" in node or "children" in node) for node in mapping.values()
    )


def turns(row: Row) -> list[Turn] | None:
    """Return what was said on the way to the current node; None where a row is no talk."""
    mapping = row.get("mapping")
    if not isinstance(mapping, dict):
        return None
    return joined(it for node in _way(row, mapping) if (it := _turn(node.get("message"))) is not None)


def _way(row: Row, mapping: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes from the first to the current one; where none is current, to the newest."""
    at = row.get("current_node")
    if at not in mapping:
        at = _newest(mapping)
    way: list[dict[str, Any]] = []
    seen: set[str] = set()
    while isinstance(at, str) and at not in seen and isinstance(node := mapping.get(at), dict):
        seen.add(at)
        way.append(node)
        at = node.get("parent")
    return way[::-1]


def _newest(mapping: dict[str, Any]) -> str | None:
    leaves = [name for name, node in mapping.items() if isinstance(node, dict) and not node.get("children")]
    return max(leaves, key=lambda name: _created(mapping[name]), default=None)


def _created(node: dict[str, Any]) -> float:
    message = node.get("message")
    at = message.get("create_time") if isinstance(message, dict) else None
    return at if isinstance(at, int | float) else 0.0


def _turn(message: Any) -> Turn | None:
    """Return a message that was shown, as a turn."""
    if not isinstance(message, dict):
        return None
    author, content, metadata = message.get("author"), message.get("content"), message.get("metadata")
    role = author.get("role") if isinstance(author, dict) else None
    if role not in ROLES or message.get("recipient") not in ("all", None) or not isinstance(content, dict):
        return None
    if content.get("content_type") not in CONTENTS or message.get("channel") in ("analysis", "commentary"):
        return None
    if isinstance(metadata, dict) and any(metadata.get(name) for name in HIDDEN):
        return None
    return turn(role, "\n".join(texts_of(content.get("parts", content.get("text")))))
