"""doccano's JSONL: a text and its labels, its answers, or spans in it, which are refused.

https://doccano.github.io/doccano/tutorial/
"""

from collections.abc import Iterator
from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import pair_row, problem_row
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

TEXTS = ("text", "data")
LABELS = ("label", "labels", "entities", "annotations", "cats")
READ = (*TEXTS, *LABELS, "id")


def fits(first: list[Row]) -> bool:
    """Say whether rows are a text with a list of labels."""
    return all(_text(row) is not None and _labels(row) is not None for row in first)


def read(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield each text with its labels as the answer. Raises AgentError where the labels are of spans."""
    for raw in rows:
        text, labels = _text(raw.value or {}), _labels(raw.value or {})
        if raw.value is None or text is None or labels is None:
            yield raw
        elif any(map(_is_span, labels)):
            raise AgentError(
                _(
                    "The labels of this file mark spans in its texts: places, which answer nothing. Send rows with a "
                    "class of each text (`text`, `label`), or with the answer written out (`prompt`, `completion`)."
                ),
                code=ErrorCode.dataset_unknown_form,
            )
        elif not labels:
            yield problem_row(raw, _("has no text in `{key}`", key="label"))
        else:
            yield pair_row(raw, text, ", ".join(map(str, labels)), READ)


def _text(row: Row) -> str | None:
    return next((text for name in TEXTS if isinstance(text := row.get(name), str)), None)


def _labels(row: Row) -> list[Any] | None:
    """Return the labels of a row; None where it has no list of names or of spans."""
    lists = [found for name in LABELS if isinstance(found := row.get(name), list)]
    labels = next((it for it in lists if it), lists[0] if lists else None)
    is_known = labels is not None and all(isinstance(it, str) or _is_span(it) for it in labels)
    return labels if is_known else None


def _is_span(label: Any) -> bool:
    if isinstance(label, dict):
        return bool({"start_offset", "start"} & label.keys() and {"end_offset", "end"} & label.keys())
    return isinstance(label, list) and len(label) >= 3 and all(isinstance(place, int) for place in label[:2])
