"""Talks for Google's models: contents and parts, the pairs of tuning files, AI Studio's prompts, and older messages.

https://ai.google.dev/api/generate-content
"""

from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, joined, only_texts, turn

ROLES = {"user": "user", "human": "user", "model": "assistant", "assistant": "assistant", "bot": "assistant",
         "system": "system"}  # fmt: skip
PAIRS = (("text_input", "output"), ("input_text", "output_text"), ("textInput", "output"))
READ = ("context", *(name for pair in PAIRS for name in pair))


def fits(first: list[Row]) -> bool:
    """Say whether rows are requests, prompts or pairs for these models."""
    return _request(first[0]) is not None or _pair(first[0]) is not None


def turns(row: Row) -> list[Turn] | None:
    """Return what is said in a row; None where it is of another kind. Raises RowProblem."""
    if pair := _pair(row):
        return [turn("user", row[pair[0]]), turn("assistant", row[pair[1]])]
    request = _request(row)
    if request is None:
        return None
    said = [turn("system", text) for text in _instructions(request)]
    said += map(_turn, _contents(request) or [])
    answer = _answer(row)
    return joined([*said, _turn(answer | {"role": "model"})] if answer else said)


def _pair(row: Row) -> tuple[str, str] | None:
    return next((pair for pair in PAIRS if all(isinstance(row.get(name), str) for name in pair)), None)


def _request(row: Row) -> Row | None:
    for found in (row, row.get("request")):
        if isinstance(found, dict) and _contents(found) is not None:
            return found
    return None


def _contents(request: Row) -> list[dict[str, Any]] | None:
    contents = request.get("contents")
    if isinstance(contents, str) and not request.keys() & _BESIDE:
        return None  # a column of that name, in any table
    if isinstance(contents, dict | str):
        contents = [contents if isinstance(contents, dict) else {"parts": [{"text": contents}]}]
    chunked, messages = request.get("chunkedPrompt"), request.get("messages")
    if isinstance(chunked, dict):
        contents = chunked.get("chunks")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict) and "author" in messages[0]:
        contents = messages if "content" in messages[0] and "role" not in messages[0] else None
    is_known = isinstance(contents, list) and bool(contents) and all(isinstance(it, dict) for it in contents)
    return contents if is_known and any(_KEYS & it.keys() for it in contents) else None  # type: ignore[union-attr]


_BESIDE = {"response", "systemInstruction", "system_instruction", "generationConfig", "generation_config", "config"}
_KEYS = {"parts", "text", "author"}


def _instructions(request: Row) -> list[str]:
    texts = []
    for name in ("systemInstruction", "system_instruction", "context"):
        told = request.get(name)
        told = told.get("parts", told) if isinstance(told, dict) else told
        texts += [only_texts(told)] if told else []
    return texts


def _turn(content: dict[str, Any]) -> Turn:
    parts = content.get("parts", content.get("text", content.get("content", "")))
    listed = parts if isinstance(parts, list) else [parts]
    is_thought = [content.get("isThought") is True or (isinstance(it, dict) and it.get("thought") is True) for it in listed]  # fmt: skip  # noqa: E501
    said = [part for part, thought in zip(listed, is_thought, strict=True) if not thought]
    thoughts = [part for part, thought in zip(listed, is_thought, strict=True) if thought]
    role = str(content.get("role") or content.get("author") or "user").lower()
    return turn(ROLES.get(role, role), only_texts(said), only_texts(thoughts))


def _answer(row: Row) -> dict[str, Any] | None:
    """Return what a batch's output holds beside the request."""
    response = row.get("response")
    candidates = response.get("candidates") if isinstance(response, dict) else None
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    content = first.get("content") if isinstance(first, dict) else None
    return content if isinstance(content, dict) else None
