"""SQuAD and its kin: a question about a context, and answers of which the first is learned.

Both shapes: articles with paragraphs, and a row a question. https://rajpurkar.github.io/SQuAD-explorer/
"""

import re
from collections.abc import Iterator
from typing import Any

from agent.data.readers.cells import parsed_cell
from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import pair_row, problem_row
from agent.data.readers.raw_row import RawRow
from shared.language import _

_ARRAY = re.compile(r"\barray\((\[[^\]]*+\])(?:, dtype=\w+)?\)")  # as numpy prints a list into a table
READ = ("question", "context", "is_impossible", "id")


def is_article(first: list[Row]) -> bool:
    """Say whether rows are articles with paragraphs."""
    paragraphs = first[0].get("paragraphs")
    return isinstance(paragraphs, list) and any(isinstance(it, dict) and "qas" in it for it in paragraphs)


def read_articles(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield the questions of all paragraphs."""
    for raw in rows:
        if raw.value is None or not isinstance(raw.value.get("paragraphs"), list):
            yield raw
            continue
        for paragraph in raw.value["paragraphs"]:
            asked = paragraph.get("qas") if isinstance(paragraph, dict) else None
            for question in asked if isinstance(asked, list) else []:
                value = {"context": paragraph.get("context")} | (question if isinstance(question, dict) else {})
                yield _pair(RawRow(line=raw.line, unit=raw.unit, value=value))


def is_flat(first: list[Row]) -> bool:
    """Say whether each row is a question with several answers."""
    return all(isinstance(row.get("question"), str) and _answers(row) is not None for row in first)


def read_flat(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield each question with its first answer."""
    for raw in rows:
        yield raw if raw.value is None or _answers(raw.value) is None else _pair(raw)


def _pair(raw: RawRow) -> RawRow:
    row = raw.value or {}
    question, context = row.get("question"), row.get("context")
    answer = next((text for text in _answers(row) or [] if text.strip()), None)
    if not isinstance(question, str) or not question.strip():
        return problem_row(raw, _("has no text in `{key}`", key="question"))
    if answer is None or row.get("is_impossible") is True:
        return problem_row(raw, _("has a question that `answers` does not answer"))
    about = [context] if isinstance(context, str) and context.strip() else []
    return pair_row(raw, "\n\n".join([question, *about]), answer, READ)


def _answers(row: Row) -> list[str] | None:
    """Return the answers of a row; None where it has no list of them."""
    found: Any = row.get("answers", row.get("answer"))
    if isinstance(found, str) and "answers" in row:
        found = parsed_cell(_ARRAY.sub(r"\1", found.strip()))
    if isinstance(found, dict) and "text" in found:
        texts = found["text"]
        found = texts if isinstance(texts, list) else [texts]
    if not isinstance(found, list):
        return None
    texts = [it.get("text") if isinstance(it, dict) else it for it in found]
    return [text for text in texts if isinstance(text, str)] if all(isinstance(it, str) for it in texts) else None
