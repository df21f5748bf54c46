"""Tools as OpenAI's chat format has them: which are offered, which are called. Kept as JSON and never run. Pure."""

import json
import re
from itertools import chain, count
from typing import Any

NAME = "probe_of_tools"
RESULT = "probe_of_result"
PROBE_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {"name": NAME, "description": "", "parameters": {"type": "object", "properties": {}}},
    }
]
PROBE_CALLS: list[dict[str, Any]] = [{"type": "function", "id": "call_1", "function": {"name": NAME, "arguments": {}}}]

_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")  # as Mistral's templates want the id of a call; others take any


def offered(value: Any) -> str | None:
    """Return the tools of a row as JSON, "" for none; None where they are no tools."""
    tools = _parsed(value)
    if tools in (None, [], ""):
        return ""
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and _name(tool) for tool in tools):
        return None
    whole = [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]
    return json.dumps(whole, ensure_ascii=False)


def called(value: Any) -> str | None:
    """Return the calls of a turn as JSON, "" for none; None where they are no calls.

    Templates write arguments as JSON themselves, so arguments that are a text already are parsed.
    """
    calls = _parsed(value)
    if calls in (None, [], ""):
        return ""
    calls = [calls] if isinstance(calls, dict) else calls
    if not isinstance(calls, list) or not all(isinstance(call, dict) and _name(call) for call in calls):
        return None
    whole = []
    for call in calls:
        function = call.get("function") or call
        arguments = _parsed(function.get("arguments") or {})
        if not isinstance(arguments, dict):
            return None
        known = {key: call[key] for key in ("id", "type") if isinstance(call.get(key), str)}
        whole.append({"type": "function", **known, "function": {"name": function["name"], "arguments": arguments}})
    return json.dumps(whole, ensure_ascii=False)


def with_ids(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return turns, as templates take them, whose calls have short ids and whose results say which call they answer.

    That is the first call without a result of those with its id, else the last with it, else the first without a
    result. No two calls have one id, as some files give each exchange the same: a template that looks up a result's
    tool by its id would find another's.
    """
    latest, taken, told = dict[str, str](), set[str](), []
    waiting = list[tuple[str, str]]()  # calls without a result: their id in the file, and here
    for turn in turns:
        calls = []
        again = {call["id"] for call in turn.get("tool_calls", ()) if call.get("id")}
        waiting = [each for each in waiting if each[0] not in again]
        for call in turn.get("tool_calls", ()):
            given = call.get("id", "")
            numbered = (f"call{number:05}" for number in count(len(taken) + 1))
            own = [given] if _SHORT_ID.fullmatch(given) else []
            short = next(each for each in chain(own, numbered) if each not in taken)
            taken.add(short)
            waiting.append((given, short))
            latest[given or short] = short
            calls.append({**call, "id": short})
        if calls:
            told.append({**turn, "tool_calls": calls})
        elif turn["role"] == "tool":
            asked = turn.get("tool_call_id", "")
            same = [short for given, short in waiting if given == asked != ""]
            rest = [latest[asked]] if asked in latest else [short for _given, short in waiting]
            short = next(iter([*same, *rest]), "call00000")
            waiting = [each for each in waiting if each[1] != short]
            told.append({**turn, "tool_call_id": short})
        else:
            told.append(turn)
    return told


def _name(it: dict[str, Any]) -> str | None:
    function = it.get("function") or it
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) and name else None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else ""
    except (ValueError, RecursionError):
        return value
