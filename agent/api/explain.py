"""Turn pydantic's errors into one sentence: the field, the value, and what is allowed. Pure."""

import difflib
import json
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters
from shared.schema import SentenceError

Field = tuple[str, ...]

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
}
_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]{0,39}$": "1 to 40 lower-case letters, digits and hyphens, not starting with a hyphen",
    r"^[A-Za-z0-9_]{1,64}$": "names of letters, digits and underscores",
}


def explain(error: ValidationError, model: type[BaseModel]) -> AgentError:
    """Return the first thing wrong with a request, in words."""
    details = error.errors(include_url=False)
    first = details[0]
    if first["type"] == "json_invalid":
        reason = str(first.get("ctx", {}).get("error", "")).removesuffix(".")
        return AgentError(f"The body is not valid JSON: {reason}.", code=ErrorCode.invalid_request)
    field, owner = _locate(first["loc"], model)
    code = ErrorCode.setting_invalid if owner is Hyperparameters else ErrorCode.invalid_request
    name = field[-1] if field else "The body"
    if first["type"] == "extra_forbidden":
        message = _unknown(name, owner)
    elif first["type"] == "missing":
        message = f"{name} is missing; it must be given."
    elif isinstance(sentence := first.get("ctx", {}).get("error"), SentenceError):
        message = f"{name} is {_show(first['input'])}; {sentence}."
    else:
        group = [each for each in details if _locate(each["loc"], model)[0] == field]
        message = f"{name} is {_show(first['input'])}; it must be {_allowed(group)}."
    return AgentError(message, code=code, param=".".join(field) or None)


def _locate(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[Field, type[BaseModel]]:
    """Follow an error's place down to a field, leaving out the union members that pydantic adds behind it."""
    found: list[str] = []
    owner = model
    for step in loc:
        if isinstance(step, int):
            continue  # a place in a list: what stands there is what matters
        name = str(step)
        found.append(name)
        field = owner.model_fields.get(name)
        below = _model_in(field.annotation) if field else None
        if below is None:
            break
        owner = below
    return tuple(found), owner


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _unknown(name: str, owner: type[BaseModel]) -> str:
    known = list(owner.model_fields)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}." if known else "None is taken here."
    kind = "setting" if owner is Hyperparameters else "field"
    return f"{_show(name)} is not a known {kind}. {hint}"


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    short = text if len(text) <= 60 else f"{text[:60]}…"
    return f"“{short}”" if isinstance(value, str) else short


def _number(limit: float) -> str:
    """Return a limit with all of its digits, however large."""
    return str(int(limit)) if limit == int(limit) else f"{limit:g}"


def _allowed(details: Iterable[ErrorDetails]) -> str:
    """Say what each member of a union would have taken: limits first, words last."""
    limits: list[str] = []
    words: list[str] = []
    for detail in details:
        (words if detail["type"] == "literal_error" else limits).append(_allows(detail))
    return ", or ".join(dict.fromkeys([*limits, *words]))


def _allows(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "literal_error" | "enum":
            return str(context["expected"]).replace("'", '"')
        case "less_than_equal":
            return f"at most {_number(context['le'])}"
        case "greater_than_equal":
            return f"at least {_number(context['ge'])}"
        case "less_than":
            return f"less than {_number(context['lt'])}"
        case "greater_than":
            return f"more than {_number(context['gt'])}"
        case "string_too_long":
            return f"at most {context['max_length']} characters long"
        case "string_too_short":
            return "not empty"
        case "too_long":
            return f"at most {context['max_length']} long"
        case "too_short":
            return f"at least {context['min_length']} long"
        case "string_pattern_mismatch":
            return _PATTERNS.get(context["pattern"], f"text like {context['pattern']}")
        case other:
            kind = other.partition("_")[0]
            return _KINDS.get(kind, detail["msg"].removeprefix("Input should be ").removeprefix("Value error, "))
