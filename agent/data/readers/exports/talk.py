"""Talks with an assistant as rows of messages: what the readers of their exports have in common. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.raw_row import NOT_LEARNED, RawRow
from agent.data.turns import RowProblem
from shared.language import _

Turn = dict[str, Any]
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{4}"
)  # scripts without spaces
DEPTH = 20  # of what is nested
_OF_A_THING = re.compile(r"(?:^|_|\b)(?:id|uuid|at|date|time|timestamp|url)$|(?:Id|At|Date|Time)$")  # names of columns


def turn(role: str, content: str, reasoning: str = "") -> Turn:
    """Return a turn of role and content, with what the assistant thought before it, if anything."""
    said = {"role": role, "content": content}
    return said | {"reasoning_content": reasoning} if reasoning.strip() and role == "assistant" else said


def joined(turns: Iterable[Turn]) -> list[Turn]:
    """Return turns without empty ones, neighbours of one role as one turn."""
    said = (it for it in turns if it["content"].strip() or it.get("reasoning_content"))
    return [_as_one(role, list(neighbours)) for role, neighbours in groupby(said, key=itemgetter("role"))]


def _as_one(role: str, turns: list[Turn]) -> Turn:
    texts = (it["content"] for it in turns if it["content"])
    return turn(role, "\n\n".join(texts), "\n\n".join(it.get("reasoning_content", "") for it in turns).strip())


def texts_of(content: Any) -> list[str]:
    """Return the texts of a content: a text, or parts that are texts or carry one under `text`."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else [content]
    found = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return [text for text in found if isinstance(text, str) and text.strip()]


def only_texts(content: Any) -> str:
    """Return the text of a content. Raises RowProblem for a part of another kind, which would be lost."""
    parts = content if isinstance(content, list) else [content]
    for part in parts:
        if isinstance(part, dict) and not isinstance(part.get("text"), str):
            kind = part.get("type") or next(iter(part), "?")
            raise RowProblem(_("has a part of the kind {kind!r} in a turn, and only text is learned", kind=kind))
    return "\n".join(texts_of(content))


def talk_row(raw: RawRow, turns: list[Turn], read: Iterable[str] = (), left_out: Row | None = None) -> RawRow:
    """Return a talk as a row; what else its row says, and no turn holds, stays beside it to be named."""
    if not turns:
        return problem_row(raw, _("holds no turn with a text"))
    return RawRow(line=raw.line, unit=raw.unit, value=_aside(raw, read) | (left_out or {}) | {"messages": turns})


def pair_row(raw: RawRow, question: str, answer: str, read: Iterable[str] = ()) -> RawRow:
    """Return a question and its answer as a row."""
    return talk_row(raw, [turn("user", question), turn("assistant", answer)], read)


def problem_row(raw: RawRow, problem: str) -> RawRow:
    """Return a row that cannot be learned, and why."""
    return RawRow(line=raw.line, unit=raw.unit, value=None, problem=problem)


def _aside(raw: RawRow, read: Iterable[str]) -> Row:
    known = frozenset(read)
    said = _prose({key: value for key, value in (raw.value or {}).items() if key not in known})
    return {NOT_LEARNED: said} if said else {}


def _prose(value: Any, key: str = "", depth: int = 0) -> Any:
    """Return what of a value is text of words, nested as it was; None where nothing is."""
    if isinstance(value, dict) and depth < DEPTH:
        return {name: it for name, each in value.items() if (it := _prose(each, str(name), depth + 1))} or None
    if isinstance(value, list) and depth < DEPTH:
        return [it for each in value if (it := _prose(each, key, depth + 1))] or None
    return value if is_prose(key, value) or (isinstance(value, str) and _UNSPACED.search(value)) else None


def is_prose(key: str, value: Any) -> bool:
    """Say whether a value is a text of words; the id of a thing, and when it was made, are none."""
    return isinstance(value, str) and " " in value.strip() and not _OF_A_THING.search(key)


def row_by_row(
    convert: Callable[[Row], list[Turn] | None], *read: str, left_out: Callable[[Row], Row] = lambda _row: {}
) -> Callable[[Iterator[RawRow]], Iterator[RawRow]]:
    """Return what makes talks of rows, one of one.

    `convert` knows how, and returns None for a row of another kind; `left_out` returns the texts that it does not take.
    """

    def talks(rows: Iterator[RawRow]) -> Iterator[RawRow]:
        for raw in rows:
            try:
                turns = None if raw.value is None else convert(raw.value)
            except RowProblem as problem:
                yield problem_row(raw, str(problem))
                continue
            yield raw if raw.value is None or turns is None else talk_row(raw, turns, read, left_out(raw.value))

    return talks
