"""One measured figure: ours, a named alternative if there is one, their ratio, and the bar of design.md section 6."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a figure must hold."""

    limit: float
    kind: Literal["at most", "at least"] = "at most"
    of: Literal["ours", "ratio"] = "ours"

    def is_met(self, *, ours: float, ratio: float | None) -> bool:
        """Compare; a ratio without an alternative meets nothing."""
        value = ours if self.of == "ours" else ratio
        if value is None or math.isnan(value):
            return False
        return value <= self.limit if self.kind == "at most" else value >= self.limit


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the result."""

    what: str
    ours: float
    unit: str
    theirs: float | None = None
    against: str = ""  # the name of the alternative
    bar: Bar | None = None

    @property
    def ratio(self) -> float | None:
        """Return ours divided by theirs; None without an alternative."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def is_missed(self) -> bool:
        """Say whether there is a bar and it does not hold."""
        return self.bar is not None and not self.bar.is_met(ours=self.ours, ratio=self.ratio)

    def line(self) -> str:
        """Return the figure as one line."""
        parts = [f"{self.what}: {quantity(self.ours)} {self.unit}"]
        if self.theirs is not None:
            parts.append(f"{self.against} {quantity(self.theirs)} {self.unit}")
        if self.ratio is not None:
            parts.append(f"ratio {self.ratio:.2f}")
        if self.bar is not None:
            unit = "times" if self.bar.of == "ratio" else self.unit
            verdict = "MISSED" if self.is_missed else "met"
            parts.append(f"bar {self.bar.kind} {quantity(self.bar.limit)} {unit}: {verdict}")
        return "; ".join(parts)


def quantity(value: float) -> str:
    """Write a number with three digits that mean something."""
    if value == 0 or math.isnan(value):
        return f"{value:g}"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
