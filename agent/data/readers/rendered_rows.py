"""Rows that hold a talk as one text become rows of turns, where most rows of a file do. Pure.

A text with an “A:” in it is none: that a file is read so is decided by its first rows, never by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from agent.data.chat_rows import canonical_name, detect_form
from agent.data.readers.raw_row import RawRow
from agent.data.readers.rendered import Turn, as_messages, turns_in, without_end
from shared.inspections import DatasetForm
from shared.language import _

LOOKED_AT, LOOKED_CHARS = 100, 20_000  # rows, and characters of each
MOSTLY = 0.5  # of the rows that hold a text there
WHOLE = frozenset({"text", "messages", "conversations"})  # columns in which a talk may stand as one text
OPENED = frozenset({"prompt", "instruction"})  # in which it may stand up to the answer
ASKED = frozenset({"prompt", "question", "query", "input", "instruction"})
ANSWERED = frozenset({"response", "answer", "output", "completion"})
CLOSED = frozenset({"completion", "chosen", "rejected", "output"})  # beside them, the answer, or again the whole
PAIRED = frozenset({DatasetForm.prompt_completion, DatasetForm.preference, DatasetForm.labelled})


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """Which columns hold talks that were rendered."""

    whole: str | None = None
    opened: str | None = None
    closed: tuple[str, ...] = ()
    talks: frozenset[str] = frozenset()  # of these, in which whole talks stand
    answer: str | None = None  # beside a question that is a talk up to it


def read_rendered(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield rows with turns in the place of what was rendered; others as they are."""
    first = list(islice(rows, LOOKED_AT))
    rendering = find_rendering([row.value for row in first if row.value is not None])
    everything = chain(first, rows)
    return everything if rendering is None else (_read(row, rendering) for row in everything)


def find_rendering(rows: list[dict[str, Any]]) -> Rendering | None:
    """Return where the talks of a file stand, as its first rows tell; None where there are none."""
    if not rows:
        return None
    names = list(rows[0])
    form = detect_form(names)
    if form in PAIRED:
        opened = next((it for it in names if canonical_name(it) in OPENED and _mostly(rows, it)), None)
        closed = tuple(it for it in names if canonical_name(it) in CLOSED)
        talks = frozenset(it for it in closed if _mostly(rows, it))
        return Rendering(opened=opened, closed=closed, talks=talks) if opened or talks else None
    if form is DatasetForm.question_answer:
        opened = next((it for it in names if canonical_name(it) in ASKED and _mostly(rows, it)), None)
        answer = next((it for it in names if canonical_name(it) in ANSWERED), None)
        return Rendering(opened=opened, answer=answer) if opened and answer else None
    known = {canonical_name(name) for name in names}
    if "label" in known or form not in {None, DatasetForm.text, DatasetForm.messages, DatasetForm.sharegpt}:
        return None
    likely = sorted(names, key=lambda name: canonical_name(name) not in WHOLE)
    whole = next((name for name in likely if _mostly(rows, name) and not _waits(rows, name)), None)
    return Rendering(whole=whole) if whole is not None else None


def _mostly(rows: list[dict[str, Any]], name: str) -> bool:
    texts = [cell for row in rows if isinstance(cell := row.get(name), str) and cell.strip()]
    return sum(bool(turns_in(text[:LOOKED_CHARS])) for text in texts) > MOSTLY * max(1, len(texts))


def _waits(rows: list[dict[str, Any]], name: str) -> bool:
    """Say whether most talks of a column wait for an answer: it stands in another column then."""
    talks = [turns_in(cell[:LOOKED_CHARS]) for row in rows if isinstance(cell := row.get(name), str)]
    waiting = sum(bool(turns) and (turns[-1].role == "user" or not turns[-1].text) for turns in talks)
    return waiting > MOSTLY * len(talks)


def _read(row: RawRow, rendering: Rendering) -> RawRow:
    if row.value is None:
        return row
    value = dict(row.value)
    if rendering.whole is not None:
        text = value.pop(rendering.whole, None)
        turns = turns_in(text) if isinstance(text, str) else []
        if not turns:
            problem = _("has no talk in `{key}`, as the other rows have", key=rendering.whole[:40])
            return RawRow(line=row.line, unit=row.unit, value=None, problem=problem)
        return RawRow(line=row.line, unit=row.unit, value={"messages": as_messages(turns)} | value)
    asked = value.get(rendering.opened or "")
    turns = turns_in(asked) if isinstance(asked, str) else []
    if rendering.answer is not None and turns and isinstance(value.get(rendering.answer), str):
        del value[rendering.opened or ""]
        told = {"role": "assistant", "content": without_end(value.pop(rendering.answer))}
        value = {"messages": [*as_messages(_up_to_the_answer(turns)), told]} | value
    elif turns:
        value[rendering.opened or ""] = as_messages(_up_to_the_answer(turns))
    for name in rendering.closed:
        if isinstance(text := value.get(name), str):
            value[name] = _answer(text) if name in rendering.talks else without_end(text)
    return RawRow(line=row.line, unit=row.unit, value=value, columns=row.columns)


def _up_to_the_answer(turns: list[Turn]) -> list[Turn]:
    is_open = turns[-1].role == "assistant" and not turns[-1].text
    return turns[:-1] if is_open else turns


def _answer(text: str) -> Any:
    turns = turns_in(text)
    return as_messages(turns) if turns else without_end(text)
