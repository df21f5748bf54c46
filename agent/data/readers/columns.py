"""Columns whose names fit no known form: which one asks and which one answers, as proposed and as a person says. Pure.

A proposal is never acted upon by itself.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from itertools import permutations
from typing import Any

from agent.data.chat_rows import stands_aside
from agent.data.quoting import SURROGATE
from agent.data.readers.raw_row import RawRow
from agent.data.readers.unclear import UnclearError, same_name, words
from agent.data.redact import personal_kinds, redact
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import Choice, Question, SeenColumn
from shared.language import _
from shared.mapping import Mapping

ASKS = words(
    "question frage pregunta domanda prompt query instruction input user human ask asked problem source context "
    "request message post title subject betreff eingabe anfrage anweisung q text review sentence customer kunde "
    "comment email english en src document article"
)
TELLS = words(
    "answer antwort respuesta réponse reponse risposta response output reply replied completion target label solution "
    "assistant agent bot gpt summary translation ausgabe lösung loesung a category class sentiment intent tag "
    "german de tgt highlights"
)
ASIDE = words(  # says something about a row, and is neither asked nor answered
    "id uuid index idx url link source_url timestamp date time created_at updated_at lang language author license meta "
    "metadata split set score rating votes unnamed row nr no number"
)
CHOICES = 5
MOSTLY = 0.5  # of the rows have a text in a column that can be asked or answered
COMPARED = 100  # columns, each with each other; a row may have tens of thousands
EXAMPLE_CHARS = 80


@dataclass(frozen=True, kw_only=True)
class Column:
    """What the first rows hold under one name."""

    name: str
    words: frozenset[str]  # of its name
    place: int
    length: float  # characters of a text, on average
    distinct: float  # share of the texts that are different
    prose: bool  # some text has more than one word
    example: str

    @property
    def aside(self) -> bool:
        """Whether it is hardly asked or answered: a number of a row, a link, a date."""
        return bool(self.words & ASIDE) or not self.words or (self.distinct > 0.9 and not self.prose)


def ask_for_columns(rows: list[dict[str, Any]]) -> UnclearError | None:
    """Return the question which column is what, from the first rows; None where no column holds text."""
    columns = _promising(list(_columns(rows)))
    choices = [Choice(mapping=mapping) for mapping in _mappings(columns)]
    if not choices:
        return None
    seen = [SeenColumn(name=column.name, example=redact(column.example)[:EXAMPLE_CHARS]) for column in columns]
    likely = choices[0].mapping
    message = _(
        "The columns {columns} do not say what is asked and what is answered. The likeliest: {mapping}. "
        "Confirm it, or name them with `mapping`.",
        columns=", ".join(column.name[:40] for column in columns[:8]),
        mapping=likely.model_dump_json(exclude_defaults=True),
    )
    return UnclearError(message, Question(about="columns", columns=seen, choices=choices))


def _columns(rows: list[dict[str, Any]]) -> Iterator[Column]:
    cells: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            cells.setdefault(str(name), []).append(_as_text(value).strip())
    for place, (name, values) in enumerate(cells.items()):
        texts = [text for text in values if text]
        if len(texts) < MOSTLY * len(rows) or not _can_be_named(name):
            continue
        yield Column(
            name=name,
            words=frozenset(name.casefold().replace("_", " ").replace("-", " ").replace(".", " ").split()),
            place=place,
            length=sum(map(len, texts)) / len(texts),
            distinct=len(set(texts)) / len(texts),
            prose=any(" " in text for text in texts),
            example=texts[0],
        )


def _promising(columns: list[Column]) -> list[Column]:
    """Return the columns in their order; of very many, those that are likeliest asked or answered."""
    kept = nlargest(COMPARED, columns, key=lambda column: max(_asked(column), _told(column)) - 9.0 * column.aside)
    return sorted(kept, key=lambda column: column.place)


def _can_be_named(name: str) -> bool:
    """Say whether people may read a column's name: no half a character, nothing personal (then it is no header)."""
    return len(name.strip()) > 0 and len(name) <= 200 and not SURROGATE.search(name) and not personal_kinds(name)


def _mappings(columns: list[Column]) -> Iterator[Mapping]:
    """Yield the likely ways to read these columns, the likeliest first."""
    useful = [column for column in columns if not column.aside] or [column for column in columns if column.prose]
    pairs = sorted(permutations(useful, 2), key=_likeness, reverse=True)
    best = pairs[:1] + [(told, asked) for asked, told in pairs[:1]]
    for asked, told in [*best, *(pair for pair in pairs if pair not in best)][: CHOICES - 1]:
        yield Mapping(question=asked.name, answer=told.name)
    prose = [column for column in useful if column.prose]
    if prose:
        yield Mapping(text=max(prose, key=lambda column: column.length).name)


def _likeness(pair: tuple[Column, Column]) -> float:
    """Return how likely the first column is asked and the second is answered."""
    asked, told = pair
    order = 1.0 * (asked.place < told.place)
    return _asked(asked) + _told(told) + order + 0.5 * math.log1p(min(asked.length, told.length))


def _asked(column: Column) -> float:
    return 4.0 * bool(column.words & ASKS) - 2.0 * bool(column.words & TELLS) + 2.0 * column.distinct


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
        value = {role: _as_text(row.value[key]) for role, key in found.items() if key is not None}
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


def _as_text(value: Any) -> str:
    """Return a cell as it is learned; what is no text and no number counts as empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
