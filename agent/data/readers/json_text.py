"""JSON as people write it: strictly where it is strict, else as JSON5, or as Python prints it. Pure.

No key may appear twice in an object, and what is no number (NaN, Infinity) is an empty value.
"""

import json
import math
import re
from collections import Counter
from typing import Any

import pyjson5

from agent.data.readers.brackets import Brackets
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

DEPTH = 100  # levels, of what is not strictly JSON
_PLACE = re.compile(r"near (\d+)")  # in pyjson5's errors, counted from 1
_COMMENT = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
_BETWEEN = re.compile(rf"(?:{_COMMENT}|[\s,;\ufeff])*+")  # two values
_ASIDE = re.compile(rf'"(?:[^"\\]|\\.?)*+"?|\'(?:[^\'\\]|\\.?)*+\'?|{_COMMENT}', re.DOTALL)  # texts and comments
_PRINTED = re.compile(rf"{_ASIDE.pattern}|\b(?:None|True|False|nan|inf)\b|[()]", re.DOTALL)
_AS_JSON5 = {"None": "null", "True": "true", "False": "false", "nan": "NaN", "inf": "NaN", "(": "[", ")": "]"}
_CHARACTER = re.compile(  # of a text, as Python writes what cannot be seen, or as it must not stand in JSON
    r"\\(?:U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|.)|\n", re.DOTALL
)


class RefusedValue(json.JSONDecodeError):
    """Raised for what is JSON and still not read: a key that appears twice, a number without end."""


def parse_strict(text: str) -> Any:
    """Parse one JSON value. Raises JSONDecodeError where it is none, AgentError where it is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_empty, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise RefusedValue(_("a number is too long"), text, 0) from error
    except RecursionError as error:
        raise too_deep() from error


def parse_values(text: str) -> list[Any]:
    """Return the values of a text, one behind the other, with or without commas.

    Raises JSONDecodeError with the place where no way of reading goes on; AgentError for a bottomless nesting.
    """
    try:
        return [parse_one(text)]
    except RefusedValue:
        raise
    except json.JSONDecodeError:
        spans = Brackets().feed(text)
        if not spans:
            raise
        _check_between(text, 0, len(text), spans)
        return [_parse_part(text, *span) for span in spans]


def too_deep() -> AgentError:
    """Say that JSON has more levels than can be followed."""
    return AgentError(_("The JSON is nested too deeply to be a dataset."), code=ErrorCode.dataset_broken)


def _parse_part(text: str, begin: int, end: int) -> Any:
    """Parse one value of a text; of a list that is too long to be read at once, item by item."""
    part = text[begin:end]
    try:
        return parse_one(part)
    except json.JSONDecodeError as error:
        items = Brackets().feed(part, level=1) if part.startswith("[") and not isinstance(error, RefusedValue) else []
        if not items:
            raise type(error)(error.msg, text, begin + error.pos) from None
        _check_between(part, 1, len(part) - 1, items)
        return [_parse_part(text, begin + first, begin + last) for first, last in items]


def _check_between(text: str, begin: int, end: int, spans: list[tuple[int, int]]) -> None:
    """Raise JSONDecodeError where more than commas and comments stands between values."""
    starts = [*(span[0] for span in spans), end]
    for at, until in zip([begin, *(span[1] for span in spans)], starts, strict=True):
        gap = _BETWEEN.match(text, at, until)
        if gap is not None and gap.end() < until:
            raise _unexpected(text, gap.end())


def parse_one(text: str) -> Any:
    """Parse one value in the first way that can. Raises as `parse_values`."""
    try:
        return parse_strict(text)
    except RefusedValue:
        raise
    except json.JSONDecodeError:
        try:
            return _parse_json5(text)
        except RefusedValue:
            raise
        except json.JSONDecodeError:
            printed = _PRINTED.sub(_from_python, text)
            if printed == text:
                raise
            return _parse_json5(printed)


def _from_python(token: re.Match[str]) -> str:
    """Return a name or a text that Python has printed as JSON5 writes it, as long as before wherever that can be."""
    if token[0].startswith(("'", '"')):
        return _CHARACTER.sub(_as_character, token[0])
    return _AS_JSON5.get(token[0], token[0])


def _as_character(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return "\\n" if found[0] == "\n" else found[0]  # a line that somebody broke inside a text


def _parse_json5(text: str) -> Any:
    try:
        value = pyjson5.decode(text, DEPTH)
    except pyjson5.Json5NestingTooDeep as error:
        raise too_deep() from error
    except pyjson5.Json5EOF as error:
        raise _unexpected(text, len(text.rstrip())) from error
    except (pyjson5.Json5DecoderException, ValueError) as error:
        place = _PLACE.search(str(error))
        raise _unexpected(text, int(place[1]) - 1 if place else 0) from error
    if _ASIDE.sub("", text).count(":") != _keys(value):
        raise RefusedValue(_("a key appears twice"), text, 0)
    return _without_nan(value)


def _unexpected(text: str, at: int) -> json.JSONDecodeError:
    if at >= len(text.rstrip()):
        return json.JSONDecodeError(_("a bracket or a quote is not closed"), text, len(text.rstrip()))
    return json.JSONDecodeError(_("unexpected {character}", character=text[at]), text, at)


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if isinstance(value, list) else 0


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _empty(_name: str) -> None:
    """Return what NaN and Infinity count as."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        double = next(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)
        raise RefusedValue(_("the key {double!r} appears twice", double=double[:40]), double, 0)
    return row
