"""Rows that lie deeper in a JSON object: under one key, in splits, or as a dataset server hands them out. Pure."""

from typing import Any

from agent.data.chat_rows import detect_form

NESTED_KEYS = ("data", "rows", "examples", "items", "conversations", "dataset")
SPLITS = ("train", "training", "validation", "valid", "dev", "eval", "test")  # what is held out, we choose ourselves
DEPTH = 3


def nested_rows(whole: dict[str, Any], depth: int = DEPTH) -> list[Any] | None:
    """Return the rows that an object holds; None where it holds none, and is a row itself or nothing known."""
    if detect_form(whole) is not None or depth == 0:
        return None
    lists = {key: value for key, value in whole.items() if _is_of_rows(value)}
    splits = [lists[key] for key in SPLITS if key in lists]
    if splits:
        return [row for rows in splits for row in rows]
    named = next((key for key in NESTED_KEYS if key in lists), next(iter(lists)) if len(lists) == 1 else None)
    if named is not None:
        return [_unwrapped(row) for row in lists[named]]
    deeper = [whole[key] for key in NESTED_KEYS if isinstance(whole.get(key), dict)]
    return nested_rows(deeper[0], depth - 1) if deeper else None


def turns_as_row(value: Any) -> Any:
    """Return a talk that is a bare list of turns as the row that it means."""
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
        return value
    return {"conversations" if "from" in value[0] else "messages": value}


def _is_of_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _unwrapped(row: Any) -> Any:
    """Return what a row of Hugging Face's dataset server carries."""
    return row["row"] if isinstance(row, dict) and isinstance(row.get("row"), dict) and "row_idx" in row else row
