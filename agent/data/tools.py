"""Tools as OpenAI's chat format has them: which are offered, which are called. Kept as JSON and never run. Pure."""

import json
import re
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

    That is the call whose id they have, else the first without a result.
    """
    ids, waiting, told = dict[str, str](), list[str](), []
    for turn in turns:
        calls = []
        for call in turn.get("tool_calls", ()):
            given = call.get("id", "")
            short = given if _SHORT_ID.fullmatch(given) else f"call{len(ids) + 1:05}"
            ids[given or short] = short
            waiting.append(short)
            calls.append({**call, "id": short})
        if calls:
            told.append({**turn, "tool_calls": calls})
        elif turn["role"] == "tool":
            short = ids.get(turn.get("tool_call_id", "")) or next(iter(waiting), "call00000")
            waiting = [each for each in waiting if each != short]
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
