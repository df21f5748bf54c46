"""Which texts of a row stand in nothing that the model is shown: by key, nested ones included. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from agent.data.chat_rows import ABOUT_A_TEXT, canonical_name
from agent.data.turns import Message

NO_TEXT = frozenset({  # keys whose values say what a row is, or how it is built, and nothing to learn
    "role", "from", "type", "object", "tool_call_id", "index", "idx", "uuid", "model", "created", "name", "rejected",
    "non_preferred_output", "weight", "tools", "functions",
})  # fmt: skip
LOOKED_FOR = 100  # texts of a row that are no whole turn; a row may have ten thousand
MARKER_LETTERS = 40  # that a turn may have in front of it and behind it
DEPTH = 20
KEY_CHARS = 100


def lost_texts(row: dict[str, Any], messages: list[Message]) -> set[str]:
    """Return the keys under which a row has a text that no message has, nested ones as `messages.reasoning`."""
    whole = {text.strip() for message in messages for text in (message.content, message.thoughts)}
    lost, said, left = set[str](), "", LOOKED_FOR
    for key, text in _texts(row):
        if text in whole or key in lost:
            continue
        said = said or "\n".join(f"{message.said}\n{message.tools}" for message in messages)
        if left == 0:
            break
        left -= 1
        if text not in said and json.dumps(text, ensure_ascii=False)[1:-1] not in said and not _is_frame(text, whole):
            lost.add(key)
    return lost


def _is_frame(text: str, said: set[str]) -> bool:
    """Say whether a text is nothing but turns and what marks them: "Human: Hi", with "Hi" as a message."""
    inside = sorted((turn for turn in said if turn and turn in text), key=len, reverse=True)
    for turn in inside:
        text = text.replace(turn, "")
    return bool(inside) and sum(map(str.isalpha, text)) <= MARKER_LETTERS * len(inside)


def _texts(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts below a value with their keys."""
    if isinstance(value, str):
        text = value.strip()
        if any(map(str.isalpha, text)):
            yield key, text
    elif depth < DEPTH and isinstance(value, list):
        for item in value:
            yield from _texts(item, key, depth + 1)
    elif depth < DEPTH and isinstance(value, dict):
        for name, item in value.items():
            if canonical_name(str(name)) not in NO_TEXT | ABOUT_A_TEXT:
                yield from _texts(item, f"{key}.{name}".removeprefix(".")[:KEY_CHARS], depth + 1)
