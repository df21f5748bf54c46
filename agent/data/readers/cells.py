"""Cells of a table that hold more than a text: turns, tools, yes or no, as scripts and pandas write them. Pure."""

import ast
import json
import re
import warnings
from typing import Any

from agent.data.chat_rows import canonical_name, detect_form
from agent.data.readers.raw_row import RawRow
from shared.inspections import DatasetForm

OF_TURNS = ("messages", "conversations", "prompt", "completion", "chosen", "rejected")
ONE_TURN = ("chosen", "rejected")  # may hold a turn alone
_NUMPY = re.compile(r"\}[^\S\n]*+\n\s*+\{")  # between two turns; a line break inside a printed text is written as \n
STRUCTURED = frozenset({*OF_TURNS, "history", "tools"})
YES_OR_NO = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "good", "desirable"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "bad", "undesirable"), False),
}


def unfold(row: RawRow) -> RawRow:
    """Return a row whose lists of turns are values again, if they came as a text.

    So is the label of an answer; beside anything else, a label is what it is.
    """
    if row.value is None:
        return row
    changed: dict[str, Any] = {}
    for key, cell in row.value.items():
        name = canonical_name(key)
        if name == "label" and _says_yes_or_no(cell) and detect_form(row.value) is DatasetForm.labelled:
            changed[key] = YES_OR_NO[str(cell).strip().lower()]
        elif name in STRUCTURED and isinstance(cell, str) and _fits(name, value := parsed_cell(cell.strip())):
            changed[key] = value
    return RawRow(line=row.line, unit=row.unit, value=row.value | changed) if changed else row


def _says_yes_or_no(cell: Any) -> bool:
    return not isinstance(cell, bool) and str(cell).strip().lower() in YES_OR_NO


def _fits(key: str, value: Any) -> bool:
    """Say whether a parsed text is what its column holds; else it only looked like it."""
    if key in OF_TURNS:
        turns = [value] if key in ONE_TURN and isinstance(value, dict) else value
        return isinstance(turns, list) and bool(turns) and all(map(_is_turn, turns))
    return isinstance(value, list) and all(isinstance(item, dict if key == "tools" else list) for item in value)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and ({"role", "content"} <= value.keys() or {"from", "value"} <= value.keys())


def parsed_cell(text: str) -> Any:
    """Parse JSON, or what Python or numpy print for a list; None for a text. All refuse a nesting that is too deep."""
    if not text.startswith(("[", "{")):
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
            return _literal(ast.parse(_NUMPY.sub("}, {", text), mode="eval").body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _literal(node: ast.expr) -> Any:
    """Return what a printed list, object, text or number means.

    Raises ValueError for a key that is no text: others can be chosen so that a dict takes time by the square of them.
    """
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            return {name: _literal(value) for name, value in zip(names, values, strict=True)}
    raise ValueError(ast.dump(node)[:80])
