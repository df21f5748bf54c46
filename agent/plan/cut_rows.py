"""What max_length leaves of a dataset: how many of its rows, and how many tokens of each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings
from agent.data.row_length import fitting_length, most_end_by
from agent.plan.defaults import choose_max_length
from agent.plan.presets import PresetRules
from shared.inspections import DatasetForm


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a run sees of a dataset whose rows are cut at some length."""

    rows: float  # of the run, for each row of the dataset: more where a text goes on in the next, fewer where some lost
    lost: float  # share of the rows whose whole answer lies beyond; they are left out
    cut: float = 0.0  # share of the rows whose answer loses its end, but not all of itself
    tokens: float  # of a row of the run, on average
    trained: float  # of them


def planned_length(
    requested: int | None, findings: Findings, card: BaseModelCard, rules: PresetRules
) -> tuple[int, str]:
    """Return the max_length of a plan and why; None requested: the one that it chooses by itself."""
    longest, needed = findings.tokens.longest, _needed(findings)
    return choose_max_length(requested, longest, card.context_length, rules.max_length, needed=needed)


def useful_lengths(findings: Findings, card: BaseModelCard, rules: PresetRules) -> list[int]:
    """Return what max_length may be for most answers to be learned: as chosen by itself, and the least."""
    automatic, _reason = planned_length(None, findings, card, rules)
    least = fitting_length(findings.tokens.longest, card.context_length, 0, needed=_needed(findings))
    return [automatic, least] if 0 < least < automatic else [automatic]


def _needed(findings: Findings) -> int:
    # A text goes on in the next row, so that nothing of it is cut.
    return 0 if findings.form is DatasetForm.text else most_end_by(findings.answer_ends)


def left_at(findings: Findings, max_length: int) -> Left:
    """Return what is left of a dataset at `max_length` tokens a row."""
    total, trained = findings.tokens.total / findings.rows, findings.tokens.trained / findings.rows
    if findings.form is DatasetForm.text:
        parts = max(1, -(-findings.tokens.median // max_length))
        return Left(rows=parts, lost=0.0, tokens=total / parts, trained=trained / parts)
    starts = findings.answer_starts
    lost = sum(start >= max_length for start in starts) / len(starts) if starts else 0.0
    if lost == 1:
        return Left(rows=0.0, lost=1.0, tokens=0.0, trained=0.0)
    kept = 1 - lost
    if not findings.row_lengths:
        return Left(rows=kept, lost=lost, tokens=total, trained=trained)
    return Left(
        rows=kept,
        lost=lost,
        cut=max(0.0, sum(end > max_length for end in findings.answer_ends) / len(findings.answer_ends) - lost),
        # A row that is left out is longer than max_length, so it has just that many tokens in the clipped sum.
        tokens=max(0.0, _clipped(total, [0] * len(starts), findings.row_lengths, max_length) - lost * max_length)
        / kept,
        trained=_clipped(trained, starts, findings.answer_ends, max_length) / kept,
    )


def _clipped(mean: float, starts: Sequence[int], ends: Sequence[int], max_length: int) -> float:
    """Return how many of a row's `mean` tokens between start and end lie below `max_length`, on average.

    From quantiles. The last hundredth of the rows may hold one row of any length, so its own length counts for nothing
    beyond `max_length`; and of a talk of several turns only a part between start and end is trained.
    """
    if ends[-1] <= max_length:
        return mean
    whole = sum(ends[:-1]) - sum(starts[:-1])
    below = sum(min(end, max_length) for end in ends[:-1]) - sum(min(start, max_length) for start in starts[:-1])
    most = _mean_below(ends, max_length) - _mean_below(starts, max_length)
    return min(mean * below / whole, most) if whole > 0 else most


def _mean_below(quantiles: Sequence[int], max_length: int) -> float:
    clipped = [min(value, max_length) for value in quantiles]
    return sum(low + high for low, high in pairwise(clipped)) / (2 * (len(clipped) - 1))
