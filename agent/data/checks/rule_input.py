"""What the rules of a dataset look at: the survey, and what follows from it. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from agent.base_models.card import BaseModelCard
from agent.data.checks.copies import later_copies, near_pairs
from agent.data.checks.survey import Looked, Survey
from agent.data.row_length import fitting_length, most_end_by, quantiles
from agent.data.usable_rows import SHOWN
from shared.inspections import DatasetForm, Finding, FindingCode, Fix, Severity
from shared.language import _, grouped

LABELS = 20  # different answers at most, for them to be labels


@dataclass(frozen=True, kw_only=True)
class RuleInput:
    """What the rules look at: the survey, and what follows from it."""

    survey: Survey
    form: DatasetForm
    card: BaseModelCard

    @cached_property
    def sample(self) -> list[Looked]:
        """Return the rows that were looked at closely."""
        return self.survey.sample

    @cached_property
    def max_length(self) -> int:
        """Return what a plan would choose by itself."""
        needed = 0 if self.form is DatasetForm.text else most_end_by(quantiles([row.end for row in self.sample]))
        return fitting_length(self.survey.longest, self.card.context_length, needed=needed)

    @cached_property
    def exact(self) -> list[int]:
        """Return the lines of rows that an earlier one equals."""
        copies = later_copies(self.survey.identities)
        return [self.survey.lines[int(number)] for number in copies.nonzero()[0]]

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Return (place in the sample, an earlier place) of rows that are nearly the same."""
        found = near_pairs([row.minhash for row in self.sample])
        # The examples of one row share its beginning, and stay together.
        return [(row, first) for row, first in found if self.sample[row].line != self.sample[first].line]

    @cached_property
    def near(self) -> list[Looked]:
        """Return the rows that an earlier one nearly equals, without the exact copies."""
        return [
            self.sample[row] for row, first in self.pairs if self.sample[row].identity != self.sample[first].identity
        ]

    @cached_property
    def answers(self) -> Counter[int]:
        """Return how often each answer is given."""
        return Counter(row.answer for row in self.sample)

    @cached_property
    def labels(self) -> Counter[str]:
        """Return how often each label is given; empty where the answers are no labels."""
        labels = Counter(row.label for row in self.sample if row.label is not None)
        enough = sum(labels.values()) >= 0.9 * len(self.sample)
        return labels if enough and 1 < len(labels) <= min(LABELS, len(self.sample) // 5) else Counter()

    @property
    def looked(self) -> str:
        """Return the words that say of how many rows a figure is; empty where it is of all."""
        return _(" (of {n} rows looked at)", n=grouped(len(self.sample))) if self.survey.sampled else ""


def finding(
    code: FindingCode,
    severity: Severity,
    lines: Iterable[int],
    message: str,
    why: str,
    *,
    count: int,
    fix: Fix | None = None,
) -> Finding:
    """Return a finding with the first of its lines."""
    return Finding(
        code=code, severity=severity, count=count, lines=sorted(lines)[:SHOWN], message=message, why=why, fix=fix
    )
