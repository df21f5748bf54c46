"""UltraFeedback before it was made into pairs: an instruction and rated completions, of which the best is learned.

https://huggingface.co/datasets/openbmb/UltraFeedback
"""

from collections.abc import Iterator
from typing import Any

from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import pair_row, problem_row
from agent.data.readers.raw_row import RawRow
from shared.language import _

SCORES = ("overall_score", "fine-grained_score", "score", "rating")
ANSWERS = ("response", "text", "completion", "output")


def fits(first: list[Row]) -> bool:
    """Say whether rows are an instruction with completions."""
    return all(_completions(row) is not None and _asked(row) is not None for row in first)


def read(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield each instruction with the completion that was rated best; the others stand beside it as not learned."""
    for raw in rows:
        completions = _completions(raw.value or {})
        asked = _asked(raw.value or {})
        if raw.value is None or completions is None or asked is None:
            yield raw
            continue
        rated = sorted(completions, key=_score, reverse=True)
        texts = [text for it in rated if (text := _answer(it))]
        if not texts:
            yield problem_row(raw, _("has no completion with a text"))
            continue
        others = {"completions": texts[1]} if len(texts) > 1 else {}
        value = {**raw.value, **others}
        yield pair_row(RawRow(line=raw.line, unit=raw.unit, value=value), raw.value[asked], texts[0], (asked,))


def _completions(row: Row) -> list[dict[str, Any]] | None:
    found = row.get("completions", row.get("responses"))
    is_rated = isinstance(found, list) and bool(found) and all(isinstance(it, dict) and _answer(it) is not None for it in found)  # fmt: skip  # noqa: E501
    return found if is_rated else None


def _asked(row: Row) -> str | None:
    return next((name for name in ("instruction", "prompt", "question") if isinstance(row.get(name), str)), None)


def _answer(completion: dict[str, Any]) -> str | None:
    return next((text for name in ANSWERS if isinstance(text := completion.get(name), str)), None)


def _score(completion: dict[str, Any]) -> tuple[float, float]:
    """Return how a completion was rated as a whole, and in its aspects on average."""
    scores = [score for name in SCORES if (score := _number(completion.get(name))) is not None]
    aspects = completion.get("annotations")
    ratings = [
        rating
        for aspect in (aspects.values() if isinstance(aspects, dict) else [])
        if (rating := _number(_rating(aspect))) is not None
    ]
    mean = sum(ratings) / len(ratings) if ratings else 0.0
    return (scores[0] if scores else mean), (scores[1] if len(scores) > 1 else mean)


def _rating(aspect: Any) -> Any:
    aspect = aspect[0] if isinstance(aspect, list) and aspect else aspect
    return aspect.get("Rating", aspect.get("rating")) if isinstance(aspect, dict) else aspect


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
