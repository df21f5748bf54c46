"""Label Studio's JSON, JSON-MIN and CSV: a text and the choices, the taxonomy or the text that somebody gave it.

https://labelstud.io/guide/export
"""

from typing import Any

from agent.data.chat_rows import ABOUT_A_TEXT
from agent.data.readers.cells import parsed_cell
from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import Turn, turn
from agent.data.turns import RowProblem
from shared.language import _

SPANS = frozenset({"labels", "hypertextlabels", "paragraphlabels", "relation", "rectanglelabels", "polygonlabels"})
LABELLING = frozenset({"annotator", "annotation_id", "lead_time"})  # beside each row of JSON-MIN
OF_THE_TOOL = LABELLING | {"id", "created_at", "updated_at", "agreement"}
TEXTS = ("text", "sentence", "document", "review", "content", "question", "prompt")  # the likeliest first


def is_json(first: list[Row]) -> bool:
    """Say whether rows are tasks."""
    return all(
        isinstance(row.get("data"), dict) and isinstance(row.get("annotations", row.get("completions")), list)
        for row in first
    )


def task_turns(row: Row) -> list[Turn] | None:
    """Return a task's text and what was said of it; None where a row is no task. Raises RowProblem."""
    data = row.get("data")
    if not isinstance(data, dict):
        return None
    texts = {key: text for key, text in data.items() if isinstance(text, str) and text.strip()}
    asked = [text for key, text in texts.items() if key not in ABOUT_A_TEXT] or list(texts.values())
    listed = row.get("annotations", row.get("completions"))
    given = [it for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []
    done = [it for it in given if not it.get("was_cancelled") and it.get("result")]
    if not asked or not done:
        raise RowProblem(_("has no text with an annotation"))
    results = [it for it in done[0]["result"] if isinstance(it, dict)] if isinstance(done[0]["result"], list) else []
    return _pair(asked, {str(it.get("from_name")): answer for it in results if (answer := _result(it))})


def _result(result: dict[str, Any]) -> str:
    """Return a result as words; empty for one that says nothing by itself."""
    kind, value = str(result.get("type")), result.get("value")
    if kind in SPANS:
        raise RowProblem(_no_spans())
    return _words(value.get(kind, value.get("text"))) if isinstance(value, dict) else ""


def _no_spans() -> str:
    return _("marks spans in its text, which answer nothing. Export a class of each text, or write answers out")


def _words(value: Any) -> str:
    """Return choices, a taxonomy's paths or texts as words, parted by commas."""
    if isinstance(value, dict):
        value = value.get("choices", value.get("taxonomy", value.get("text")))
    if not isinstance(value, list):
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    paths = [" > ".join(map(str, it)) if isinstance(it, list) else str(it) for it in value]
    return ", ".join(path for path in paths if path.strip())


def _pair(asked: list[str], answers: dict[str, str]) -> list[Turn]:
    if not answers:
        raise RowProblem(_("has no text with an annotation"))
    several = len(answers) > 1
    told = "\n".join(f"{name}: {answer}" if several else answer for name, answer in answers.items())
    return [turn("user", "\n\n".join(asked)), turn("assistant", told)]


def is_short(first: list[Row]) -> bool:
    """Say whether rows are those of JSON-MIN or the CSV."""
    return all(row.keys() >= LABELLING for row in first)


def short_turns(row: Row) -> list[Turn] | None:
    """Return a row's text and what was said of it; None where a row is of another kind. Raises RowProblem."""
    if not row.keys() >= LABELLING:
        return None
    texts = {
        key: text for key, text in row.items() if key not in OF_THE_TOOL and isinstance(text, str) and text.strip()
    }
    asked = next((name for name in TEXTS if name in texts), None) or max(texts, key=lambda it: len(texts[it]), default=None)  # fmt: skip  # noqa: E501
    if asked is None:
        raise RowProblem(_("has no text with an annotation"))
    answers: dict[str, str] = {}
    for key, value in row.items():
        if key in OF_THE_TOOL or key == asked:
            continue
        parsed = parsed_cell(value.strip()) if isinstance(value, str) else None
        answer = value if parsed is None else parsed
        if _are_spans(answer):
            raise RowProblem(_no_spans())
        if told := _words(answer):
            answers[key] = told
    return _pair([texts[asked]], answers)


def _are_spans(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(it, dict) and "start" in it and "end" in it for it in value)
