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


def left_out(row: Row) -> Row:
    """Return texts that were shown in no answer, or in one that was replaced: by their kind the first of each."""
    found: Row = {}
    shown = {id(node) for node in _way(row, row["mapping"])}
    for node in row["mapping"].values():
        message = node.get("message") if isinstance(node, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if (
            not isinstance(message, dict)
            or not isinstance(content, dict)
            or _is_hidden(message)
            or (id(node) in shown and _turn(message))
        ):
            continue
        kind = str(content.get("content_type")) if content.get("content_type") not in CONTENTS else _speaker(message)
        texts = [text for name in ("parts", "text", "thoughts", "result") for text in texts_of(content.get(name))]
        texts += [text for it in content.get("thoughts") or [] for text in texts_of(it.get("content"))]
        found |= {f"mapping.{kind}": texts[0]} if texts and f"mapping.{kind}" not in found else {}
    return found


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
    role, content = _speaker(message), message.get("content")
    if role not in ROLES or message.get("recipient") not in ("all", None) or not isinstance(content, dict):
        return None
    if content.get("content_type") not in CONTENTS or message.get("channel") in ("analysis", "commentary"):
        return None
    if _is_hidden(message):
        return None
    return turn(role, "\n".join(texts_of(content.get("parts", content.get("text")))))


def _speaker(message: dict[str, Any]) -> str:
    author = message.get("author")
    return str(author.get("role")) if isinstance(author, dict) else ""


def _is_hidden(message: dict[str, Any]) -> bool:
    """Say whether a message was shown to nobody, by what the export says of it."""
    metadata = message.get("metadata")
    return isinstance(metadata, dict) and any(metadata.get(name) for name in HIDDEN)
