"""Cells of a table that hold more than a text: turns, tools, yes or no, as scripts and pandas write them. Pure."""

import ast
import json
import warnings
from typing import Any

from agent.data.reading.raw_row import RawRow

OF_TURNS = ("messages", "conversations", "prompt", "completion", "chosen", "rejected")
ONE_TURN = ("chosen", "rejected")  # may hold a turn alone
YES_OR_NO = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


def unfold(row: RawRow) -> RawRow:
    """Return a row whose lists of turns and whose label are values again, if they came as a text."""
    if row.value is None:
        return row
    parsed = {key: _parsed(row.value.get(key)) for key in (*OF_TURNS, "history", "tools")}
    changed = {key: value for key, value in parsed.items() if _fits(key, value)}
    label = row.value.get("label")
    if not isinstance(label, bool) and str(label).strip().lower() in YES_OR_NO:
        changed["label"] = YES_OR_NO[str(label).strip().lower()]
    return RawRow(line=row.line, unit=row.unit, value=row.value | changed) if changed else row


def _fits(key: str, value: Any) -> bool:
    """Say whether a parsed text is what its column holds; else it only looked like it."""
    if key in OF_TURNS:
        turns = [value] if key in ONE_TURN and isinstance(value, dict) else value
        return isinstance(turns, list) and bool(turns) and all(map(_is_turn, turns))
    return isinstance(value, list) and all(isinstance(item, dict if key == "tools" else list) for item in value)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and ({"role", "content"} <= value.keys() or {"from", "value"} <= value.keys())


def _parsed(cell: Any) -> Any:
    """Parse JSON, or what Python prints for a list; None for a text. Both refuse a nesting that is too deep."""
    if not isinstance(cell, str) or not (text := cell.strip()).startswith(("[", "{")):
        return None
    try:
        return json.loads(text)
    except RecursionError:
        return None
    except ValueError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none: then it is a text
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
