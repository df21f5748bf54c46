"""Talks for Amazon Bedrock's models: system texts as a list, turns whose content is a list of texts.

https://docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html
"""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, only_texts, turn

READ = ("schemaVersion", "system")


def fits(first: list[Row]) -> bool:
    """Say whether rows are such talks."""
    return any(_is_talk(row) for row in first)


def _is_talk(row: Row) -> bool:
    if not isinstance(row.get("messages"), list):
        return False
    return isinstance(row.get("system"), list) or str(row.get("schemaVersion", "")).startswith("bedrock-conversation")


def turns(row: Row) -> list[Turn] | None:
    """Return what is said in a row; None where it is of another kind. Raises RowProblem."""
    if not _is_talk(row) or not all(isinstance(it, dict) for it in row["messages"]):
        return None
    system = [turn("system", only_texts(row["system"]))] if row.get("system") else []
    return joined([*system, *map(_turn, row["messages"])])


def _turn(message: dict[str, Any]) -> Turn:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    thoughts = [text for part in parts if (text := _thought(part)) is not None]
    said = [part for part in parts if _thought(part) is None]
    return turn(str(message.get("role")), only_texts(said), "\n".join(thoughts))


def _thought(part: Any) -> str | None:
    """Return what a part reasons; None where it is said."""
    reasoning = part.get("reasoningContent") if isinstance(part, dict) else None
    told = reasoning.get("reasoningText") if isinstance(reasoning, dict) else None
    told = told.get("text") if isinstance(told, dict) else told
    return told if isinstance(told, str) else None
