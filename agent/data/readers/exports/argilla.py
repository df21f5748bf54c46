"""Argilla's records: fields, and what people answered about them, or what was suggested where nobody did.

https://docs.argilla.io/latest/how_to_guides/import_export/
"""

import re
from typing import Any

from agent.data.chat_rows import detect_form, to_messages
from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, turn
from agent.data.turns import RowProblem
from shared.inspections import DatasetForm
from shared.language import _

ABOUT_A_RECORD = {"id", "_server_id", "status", "external_id", "inserted_at", "updated_at", "metadata"}
_ANSWER = re.compile(r"(?:\.suggestion|\.responses|-suggestion)$")


def fits(first: list[Row]) -> bool:
    """Say whether rows are records."""
    return all(isinstance(row.get("fields"), dict) and ("responses" in row or "suggestions" in row) for row in first)


def turns(row: Row) -> list[Turn] | None:
    """Return what a record asks and what was answered; None where a row is no record. Raises RowProblem."""
    fields = row.get("fields")
    if not isinstance(fields, dict):
        return None
    answers = _responses(row.get("responses")) or _suggestions(row.get("suggestions"))
    form = detect_form(fields)
    texts = [text for text in fields.values() if isinstance(text, str) and text.strip()]
    if form not in (None, DatasetForm.text) and not any(isinstance(it, str) for it in answers.values()):
        return [it.as_dict() for it in to_messages(fields, form)]
    told = {name: words for name, value in answers.items() if (words := _words(value))}
    if not texts or not told:
        raise RowProblem(_("has no text with an answer in `responses` or `suggestions`"))
    several = len(told) > 1
    answer = "\n".join(f"{name}: {words}" if several else words for name, words in told.items())
    return [turn("user", "\n\n".join(texts)), turn("assistant", answer)]


def _responses(given: Any) -> dict[str, Any]:
    """Return what was answered, by question: of several people, the first who handed it in."""
    if isinstance(given, dict):  # by question, as of version 2
        return {name: value for name, it in given.items() if (value := _first(it)) is not None}
    for response in given if isinstance(given, list) else []:
        values = response.get("values") if isinstance(response, dict) else None
        if isinstance(values, dict) and response.get("status") in ("submitted", None):
            return {name: value for name, it in values.items() if (value := _first(it)) is not None}
    return {}


def _suggestions(given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return {name: value for name, it in given.items() if (value := _first(it)) is not None}
    found = [it for it in given if isinstance(it, dict)] if isinstance(given, list) else []
    return {
        str(it.get("question_name") or it.get("question")): it["value"] for it in found if it.get("value") is not None
    }


def _first(given: Any) -> Any:
    """Return a value, or the first of several people's that was handed in."""
    for it in given if isinstance(given, list) else [given]:
        if not isinstance(it, dict):
            return given
        if it.get("status") in ("submitted", None) and it.get("value") is not None:
            return it["value"]
    return None


def _words(value: Any) -> str:
    """Return a label, labels or a text as words; a rating or a ranking is none."""
    if isinstance(value, list):
        return ", ".join(it for it in value if isinstance(it, str))
    return value if isinstance(value, str) else ""


def is_flat(first: list[Row]) -> bool:
    """Say whether rows are records as a table of the Hub has them, or those of the first versions."""
    return all(_is_classified(row) or any(_ANSWER.search(name) for name in row) for row in first)


def flat_turns(row: Row) -> list[Turn] | None:
    """Return what a row asks and what was answered; None where it is no record. Raises RowProblem."""
    if _is_classified(row):
        record = {"fields": row.get("inputs") or {"text": row.get("text")},
                  "responses": {"label": {"value": row.get("annotation")}}}  # fmt: skip
        return turns(record if isinstance(record["fields"], dict) else record | {"fields": {"text": record["fields"]}})
    questions = {_ANSWER.sub("", name) for name in row if _ANSWER.search(name)}
    if not questions:
        return None
    fields = {name: text for name, text in row.items() if name not in questions | ABOUT_A_RECORD and "." not in name
              and not _ANSWER.search(name) and isinstance(text, str)}  # fmt: skip
    answers = {name: _flat(row.get(f"{name}.responses", row.get(name))) for name in questions}
    given = {name: value for name, value in answers.items() if value is not None}
    suggested = {name: row.get(f"{name}.suggestion", row.get(f"{name}-suggestion")) for name in questions}
    answered = {name: {"value": value} for name, value in sorted((given or suggested).items())}
    return turns({"fields": fields, "responses": answered})


def _is_classified(row: Row) -> bool:
    return "annotation" in row and "annotation_agent" in row and ("text" in row or "inputs" in row)


def _flat(given: Any) -> Any:
    """Return the first response of a list of values, or of values with a status."""
    first = given[0] if isinstance(given, list) and given else None
    return _first(given) if isinstance(first, dict) else first
