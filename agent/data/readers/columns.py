"""Columns whose names fit no known form: which one asks and which one answers, as proposed and as a person says. Pure.

A proposal is never acted upon by itself.
"""

import math
from collections.abc import Iterator
from heapq import nlargest
from itertools import permutations
from typing import Any

from agent.data.chat_rows import canonical_name, stands_aside
from agent.data.readers.column_kinds import ASKS, TELLS, Column, are_messages, as_text, columns_of
from agent.data.readers.raw_row import RawRow
from agent.data.readers.unclear import UnclearError, same_name
from agent.data.redact import redact
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import COLUMN_KINDS, Choice, ColumnKind, Question, SeenColumn
from shared.language import _
from shared.mapping import Mapping

CHOICES = 5
COMPARED = 100  # columns, each with each other; a row may have tens of thousands
EXAMPLE_CHARS = 80


def ask_for_columns(rows: list[dict[str, Any]]) -> UnclearError | None:
    """Return the question which column is what, from the first rows; None where no column holds text.

    Ids, dates, links, flags, roles and numbers are never proposed: where nothing else is there, nothing is.
    """
    columns = _promising(list(columns_of(rows)))
    choices = [Choice(mapping=mapping) for mapping in _mappings(columns)]
    if not columns:
        return None
    if choices:
        message = _(
            "The columns {columns} do not say what is asked and what is answered. The likeliest: {mapping}. "
            "Confirm it, or name them with `mapping`.",
            columns=", ".join(column.name[:40] for column in columns[:8]),
            mapping=choices[0].mapping.model_dump_json(exclude_defaults=True),
        )
    else:
        message = _(
            "The columns are {columns}; none looks like a question with its answer, or like a text to learn. Send a "
            "table that has them, or name its columns with `mapping`.",
            columns=", ".join(f"{column.name[:40]} ({_(COLUMN_KINDS[column.kind])})" for column in columns[:8]),
        )
    return UnclearError(message, Question(about="columns", columns=_seen(columns), choices=choices))


def ask_about_label(rows: list[dict[str, Any]], asked: str, told: str, label: str) -> UnclearError:
    """Return the question what a label beside a question and its answer means, of which no row may be lost before."""
    columns = list(columns_of(rows))
    message = _(
        "Beside {asked} and {told} stands {label}, and it does not say what it means. Name with `mapping` "
        "what is learned; if it marks rows that are bad, leave these out and send the file again.",
        asked=asked[:40],
        told=told[:40],
        label=label[:40],
    )
    choices = [Choice(mapping=Mapping(question=asked, answer=it)) for it in (told, label)]
    return UnclearError(message, Question(about="columns", columns=_seen(columns), label=label, choices=choices))


def _seen(columns: list[Column]) -> list[SeenColumn]:
    return [
        SeenColumn(name=column.name, example=redact(column.example)[:EXAMPLE_CHARS], kind=column.kind)
        for column in columns
    ]


def _promising(columns: list[Column]) -> list[Column]:
    """Return the columns in their order; of very many, those that are likeliest asked or answered."""
    kept = nlargest(COMPARED, columns, key=lambda column: max(_asked(column), _told(column)) - 9.0 * (not column.asks))
    return sorted(kept, key=lambda column: column.place)


def _mappings(columns: list[Column]) -> Iterator[Mapping]:
    """Yield the likely ways to read these columns, the likeliest first."""
    pairs = sorted(filter(_is_likely, permutations(columns, 2)), key=_likeness, reverse=True)
    turned = [(told, asked) for asked, told in pairs[:1] if (told, asked) in pairs]
    best = pairs[:1] + turned
    for asked, told in [*best, *(pair for pair in pairs if pair not in best)][: CHOICES - 1]:
        yield Mapping(question=asked.name, answer=told.name)
    texts = [column for column in columns if column.tells and column.kind is ColumnKind.text and column.prose]
    if texts and not are_messages(columns):  # which would be learned without who says them
        yield Mapping(text=max(texts, key=lambda column: column.length).name)


def _is_likely(pair: tuple[Column, Column]) -> bool:
    """Say whether the first column may be asked and the second answered: at least one of them is a text."""
    asked, told = pair
    return asked.asks and told.tells and ColumnKind.text in {asked.kind, told.kind}


def _likeness(pair: tuple[Column, Column]) -> float:
    """Return how likely the first column is asked and the second is answered."""
    asked, told = pair
    order = 1.0 * (asked.place < told.place)
    return _asked(asked) + _told(told) + order + 0.5 * math.log1p(min(asked.length, told.length))


def _asked(column: Column) -> float:
    is_label = column.kind is ColumnKind.label
    return 4.0 * bool(column.words & ASKS) - 2.0 * bool(column.words & TELLS) + 2.0 * column.distinct - 4.0 * is_label


def _told(column: Column) -> float:
    return 4.0 * bool(column.words & TELLS) - 2.0 * bool(column.words & ASKS - TELLS)


def map_columns(rows: Iterator[RawRow], mapping: Mapping) -> Iterator[RawRow]:
    """Yield rows with what a person named in the place of their columns. Raises AgentError for a name that is not."""
    if mapping.assistant is not None or mapping.without:
        raise AgentError(
            _("This is no chat export: nobody speaks in it. Name its columns with `mapping`, or leave that out."),
            code=ErrorCode.dataset_unclear,
            param="mapping",
        )
    wanted = {role: name for role in ("system", "question", "answer", "text") if (name := getattr(mapping, role))}
    checked = False
    for row in rows:
        if row.value is None:
            yield row
            continue
        found = {role: _find(name, row.value) for role, name in wanted.items()}
        if not checked:
            _check(found, wanted, row.value)
            checked = True
        if "answer" in wanted and "system" not in wanted:  # what it is called says what it is
            found["system"] = next((key for key in row.value if canonical_name(key) == "system"), None)
        value = {role: as_text(row.value[key]) for role, key in found.items() if key is not None}
        if "answer" in wanted:
            aside = {key: cell for key, cell in row.value.items() if key not in found.values() and stands_aside(key)}
            value = {"answer": "", "question": ""} | value | aside
        value = {"text": ""} | value if "text" in wanted else value
        columns = wanted | {role: key for role, key in found.items() if key is not None}
        yield RawRow(line=row.line, unit=row.unit, value=value, columns=columns)


def _find(name: str, row: dict[str, Any]) -> str | None:
    return name if name in row else next((key for key in row if same_name(name, key)), None)


def _check(found: dict[str, str | None], wanted: dict[str, str], row: dict[str, Any]) -> None:
    for role, key in found.items():
        if key is None:
            raise AgentError(
                _(
                    "There is no column “{name}” for `{role}`. There are: {columns}.",
                    name=wanted[role][:40],
                    role=role,
                    columns=", ".join(str(key)[:40] for key in list(row)[:8]),
                ),
                code=ErrorCode.dataset_unclear,
                param="mapping",
            )
