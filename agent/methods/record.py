"""What a way to train is."""

from dataclasses import dataclass

from shared.inspections import DatasetForm


@dataclass(frozen=True, kw_only=True)
class Metric:
    """The figure of held-out rows that early stopping and the choice of the best weights go by."""

    name: str  # as libraries call it
    lower_is_better: bool

    def improved(self, value: float, best: float) -> bool:
        """Say whether a value is better than the best before; NaN never is."""
        return value < best if self.lower_is_better else value > best

    @property
    def worst(self) -> float:
        """Return what every value is better than."""
        return float("inf") if self.lower_is_better else float("-inf")


@dataclass(frozen=True, kw_only=True)
class TrainingMethod:
    """One way to train."""

    type: str  # `method.type`, as OpenAI spells it or as ours
    forms: frozenset[DatasetForm]  # rows that it learns from
    trainer: str  # "module:function", which makes the trainer; `agent.pipeline` alone resolves it, since it needs torch
    metric: Metric
