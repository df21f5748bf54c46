"""How long rows are in tokens, in figures and as bars. Pure."""

import statistics

from agent.data.checks.rule_input import RuleInput
from shared.inspections import LengthHistogram, TokenCounts

BARS = 40


def token_counts(seen: RuleInput) -> TokenCounts:
    """Count tokens; where only a sample was looked at, the totals are scaled to all rows."""
    lengths = sorted(row.length for row in seen.sample)
    scale = seen.survey.rows / len(lengths)
    return TokenCounts(
        total=round(scale * sum(lengths)),
        trained=round(scale * sum(row.trained for row in seen.sample)),
        median=int(statistics.median(lengths)),
        p95=lengths[int(0.95 * (len(lengths) - 1))],
        longest=seen.survey.longest,
        longest_answer=seen.survey.longest_answer,
    )


def histogram(seen: RuleInput) -> LengthHistogram:
    """Return the rows by length, and what max_length does to each of them; the longest hundredth shares a bar."""
    lengths = sorted(row.length for row in seen.sample)
    top = max(lengths[int(0.99 * (len(lengths) - 1))], min(seen.max_length, lengths[-1]))
    width = max(1, -(-top // BARS))
    bars = {kind: [0] * (top // width + 1) for kind in ("kept", "cut", "lost")}
    for row in seen.sample:
        kind = "lost" if row.start >= seen.max_length else "cut" if row.end > seen.max_length else "kept"
        bars[kind][min(row.length // width, top // width)] += 1
    return LengthHistogram(
        width=width, max_length=seen.max_length, saves_all=max(row.end for row in seen.sample), **bars
    )
