"""Talks with Claude, as conversations.json of its export has them: messages of a human and an assistant, in order."""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, texts_of, turn

ROLES = {"human": "user", "user": "user", "assistant": "assistant"}


def fits(first: list[Row]) -> bool:
    """Say whether rows are talks."""
    return any(isinstance(row.get("chat_messages"), list) for row in first)


def turns(row: Row) -> list[Turn] | None:
    """Return what was said; None where a row is no talk."""
    messages = row.get("chat_messages")
    if not isinstance(messages, list):
        return None
    return joined(_turn(it) for it in messages if isinstance(it, dict) and it.get("sender") in ROLES)


def left_out(row: Row) -> Row:
    """Return the first result of a tool that the assistant asked; what it asked and was told is not learned."""
    parts = [part for it in row["chat_messages"] if isinstance(it, dict) for part in it.get("content") or []]
    results = [part for part in parts if isinstance(part, dict) and part.get("type") == "tool_result"]
    texts = [text for it in results for text in texts_of(it.get("content"))]
    return {"chat_messages.content.tool_result": texts[0]} if texts else {}


def _turn(message: dict[str, Any]) -> Turn:
    """Return a message with the text of what was attached to it."""
    parts = [part for part in message.get("content") or [] if isinstance(part, dict)]
    said = _texts(parts, "text") or _texts([message], "text")
    attached = [it for it in message.get("attachments") or [] if isinstance(it, dict)]
    return turn(
        ROLES[message["sender"]],
        "\n\n".join([*said, *_texts(attached, "extracted_content")]),
        "\n\n".join(_texts(parts, "thinking")),
    )


def _texts(parts: list[dict[str, Any]], key: str) -> list[str]:
    kinds = {"text": ("text", None), "thinking": ("thinking",)}.get(key)
    return [
        text
        for part in parts
        if (kinds is None or part.get("type") in kinds) and isinstance(text := part.get(key), str) and text.strip()
    ]
