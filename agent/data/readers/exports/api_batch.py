"""Batches for the APIs of OpenAI and Anthropic: requests, and their results where these stand in the same file.

Requests whose talks end with an answer are learned as they are; of others the answers are in the batch's output file.
"""

from collections.abc import Iterator
from typing import Any

from agent.data import tools
from agent.data.readers.exports.export import Row, bounded
from agent.data.readers.exports.talk import Turn, only_texts, problem_row, talk_row, turn
from agent.data.readers.raw_row import RawRow
from agent.data.turns import RowProblem
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, ngettext


def fits(first: list[Row]) -> bool:
    """Say whether rows are requests or results of a batch."""
    return all("custom_id" in row and bool(_asked(row) or "response" in row or "result" in row) for row in first)


def read(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield each request with its answer. Raises AgentError where the file has no answer, or no question, at all."""
    kept = list(bounded(rows))
    answers: dict[str, list[Turn]] = {}
    asked = list[tuple[RawRow, list[Turn] | str]]()
    for raw in kept:
        row = raw.value or {}
        if (body := _asked(row)) is not None:
            asked.append((raw, _turns(body)))
        elif row and (answer := _answered(row)) is not None:
            answers[str(row.get("custom_id"))] = answer
    _check(asked, answers)
    questions = {id(raw): said for raw, said in asked}
    for raw in kept:
        said = questions.get(id(raw))
        if raw.value is None or (said is None and _asked(raw.value) is None and not _is_result(raw.value)):
            yield raw
        elif isinstance(said, str):
            yield problem_row(raw, said)
        elif said is not None:
            said = [*said, *answers.get(str(raw.value.get("custom_id")), [])]
            said = [it for it in said if it["content"].strip() or it.get("tool_calls")]
            yield talk_row(raw, said, _READ, left_out=_offered(raw.value))


_READ = ("custom_id", "method", "url", "id")


def _check(asked: list[tuple[RawRow, list[Turn] | str]], answers: dict[str, list[Turn]]) -> None:
    read = [said for _raw, said in asked if not isinstance(said, str)]
    if not asked:
        message = _(
            "The file holds the answers of an API batch and none of its questions. Put the lines of the batch's input "
            "file into it as well, and send that: `custom_id` says which belongs to which."
        )
    elif read and not answers and not any(it["role"] == "assistant" for said in read for it in said):
        message = ngettext(
            "The file is the input of an API batch: {n} question without its answer. The answer is in the batch's "
            "output file: put the lines of both into one file and send that.",
            "The file is the input of an API batch: {n} questions without answers. The answers are in the batch's "
            "output file: put the lines of both into one file and send that.",
            len(asked),
        )
    else:
        return
    raise AgentError(message, code=ErrorCode.dataset_unknown_form)


def _is_result(row: Row) -> bool:
    return "response" in row or "result" in row


def _asked(row: Row) -> dict[str, Any] | None:
    """Return what was asked of the model, as its API takes it."""
    for name in ("body", "params"):
        body = row.get(name)
        if isinstance(body, dict) and ("messages" in body or "input" in body or "prompt" in body):
            return body
    return None


def _turns(body: dict[str, Any]) -> list[Turn] | str:
    """Return the turns of a request, or why there are none."""
    try:
        system = body.get("system", body.get("instructions"))
        said = [turn("system", only_texts(system))] if system else []
        messages = body.get("messages", body.get("input", body.get("prompt")))
        if not isinstance(messages, list):
            messages = [{"role": "user", "content": messages}]
        for it in messages:
            if not isinstance(it, dict):
                return _("has a turn that is more than a text")
            text = only_texts(it.get("content") or "")
            called = {key: it[key] for key in ("tool_calls", "tool_call_id", "weight") if it.get(key) is not None}
            said.append(turn(str(it.get("role")), text, str(it.get("reasoning_content") or "")) | called)
    except RowProblem as problem:
        return str(problem)
    return said


def _offered(row: Row) -> Row:
    """Return the tools of a request, as OpenAI's API takes them."""
    body = _asked(row) or {}
    return {"tools": body["tools"]} if body.get("tools") and tools.offered(body["tools"]) else {}


def _answered(row: Row) -> list[Turn] | None:
    """Return the answer in a result; None where there is none."""
    body = _inside(row, "response", "body") or _inside(row, "result", "message")
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message: dict[str, Any] = first["message"] if isinstance(first.get("message"), dict) else {}
    output = [it for it in body.get("output") or [] if isinstance(it, dict) and it.get("type") == "message"]
    content = message.get("content") or first.get("text") or body.get("content") or [
        part for it in output for part in it.get("content") or []
    ]  # fmt: skip
    try:
        text = only_texts(content)
    except RowProblem:
        return None
    return [turn("assistant", text, str(message.get("reasoning_content") or ""))] if text else None


def _inside(row: Row, outer: str, inner: str) -> Any:
    found = row.get(outer)
    return found.get(inner) if isinstance(found, dict) else None
