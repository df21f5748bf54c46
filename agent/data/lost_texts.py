"""Which texts of a row stand in nothing that the model is shown: by key, nested ones included. Pure."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from agent.data.chat_rows import ABOUT_A_TEXT, canonical_name
from agent.data.readers.raw_row import NOT_LEARNED
from agent.data.turns import KNOWN_ROLES, ROLE_KEYS, Message

NO_TEXT = frozenset({  # keys whose values say what a row is, or how it is built, and nothing to learn
    "role", "from", "type", "object", "tool_call_id", "index", "idx", "uuid", "model", "created", "name", "rejected",
    "non_preferred_output", "weight",
})  # fmt: skip
SKIPPED = NO_TEXT | ABOUT_A_TEXT
LOOKED_FOR = 100  # texts of a row that are no whole turn; a row may have ten thousand
MARKER_LETTERS = 40  # that a turn may have in front of it and behind it
DEPTH = 20
KEY_CHARS = 100


def lost_texts(row: dict[str, Any], messages: list[Message]) -> set[str]:
    """Return the keys under which a row has a text that no message has, nested ones as `messages.reasoning`."""
    if _is_bare(row, messages):
        return set()
    whole = {message.content for message in messages} | {message.thoughts for message in messages}
    lost = set[str]()
    left = [(key, text) for key, text in _texts(row) if text not in whole]
    if not left:
        return lost
    whole = {text.strip() for text in whole}
    said = "\n".join(f"{message.said}\n{message.tools}" for message in messages)
    for key, text in left[:LOOKED_FOR]:
        is_said = text in whole or text in said or json.dumps(text, ensure_ascii=False)[1:-1] in said
        if key not in lost and not is_said and any(map(str.isalpha, text)) and not _is_frame(text, whole):
            lost.add(key)
    return lost


def _is_bare(row: dict[str, Any], messages: list[Message]) -> bool:
    """Say whether a row is its messages and nothing else, as most rows are: then nothing is to be looked for."""
    turns = row.get("messages") if len(row) == 1 else None
    return (
        isinstance(turns, list)
        and len(turns) == len(messages)
        and all(
            isinstance(turn, dict) and len(turn) == 2 and "role" in turn and turn.get("content") == message.content
            for turn, message in zip(turns, messages, strict=True)
        )
    )


def _is_frame(text: str, said: set[str]) -> bool:
    """Say whether a text is nothing but turns and what marks them: "Human: Hi", with "Hi" as a message."""
    inside = sorted((turn for turn in said if turn and turn in text), key=len, reverse=True)[:LOOKED_FOR]
    for turn in inside:
        text = text.replace(turn, "")
    return bool(inside) and sum(map(str.isalpha, text)) <= MARKER_LETTERS * len(inside)


@lru_cache(maxsize=4096)
def _is_skipped(key: Any) -> bool:
    return key in SKIPPED or canonical_name(str(key)) in SKIPPED


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in KNOWN_ROLES


def _texts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a row with their keys, without recursion: this is asked of every row."""
    open_values: list[tuple[str, Any, int]] = [("", row, 0)]
    while open_values:
        key, value, depth = open_values.pop()
        if isinstance(value, str):
            if text := value.strip():
                yield key, text.replace("\r\n", "\n") if "\r" in text else text
        elif depth >= DEPTH:
            continue
        elif isinstance(value, dict):
            begin = f"{key}." if key and key != NOT_LEARNED else ""
            open_values += [
                (f"{begin}{name}"[:KEY_CHARS], item, depth + 1)
                for name, item in value.items()
                if not _is_skipped(name) and not (name in ROLE_KEYS and _is_role(item))
            ]
        elif isinstance(value, list):
            open_values += [(key, item, depth + 1) for item in value]
