"""What a way to train is."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.methods.measured import Measured
from shared.hyperparameters import MethodType
from shared.inspections import DatasetForm

HELD_OUT_LOSS = "eval_loss"  # as libraries call it


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

    type: MethodType  # `method.type`, as OpenAI spells it or as ours
    title: str  # in words, a text of the catalogue: "learns from better and worse answers"
    forms: frozenset[DatasetForm]  # rows that it learns from
    objective: str  # "module:Class", the loss; `agent.pipeline` alone resolves it, since it needs torch
    verdict: Callable[[Measured], str]  # what the training achieved, in a sentence
    metric: Metric = Metric(name=HELD_OUT_LOSS, lower_is_better=True)
    pairs: bool = False  # an example is a pair of rows
    judged: bool = False  # learns also from the answers that are not wanted
    rows_at_once: int = 1  # of an example, computed together
    rows_in_memory: float = 1.0  # of them, whose activations are kept for the way back at once
    whole_talks: bool = False  # of the better answers the questions are learned too
    passes_without_gradients: int = 0  # over the training rows, before the first step
    exact_in_parts: bool = True  # its loss of a batch is that of the batch's parts together
    dropout: bool = True  # a model that is held against itself must answer the same twice
    noise: bool = True  # NEFTune's, on what is read; not where answers are weighed against each other
    rate: float = 1.0  # of the learning rate for supervised training
    beta: float | None = None  # by default; None: it has none
    most_epochs: int | None = None  # before answers are overdone
    advice: str = ""  # what to know before it is chosen, a text of the catalogue

    def examples(self, rows: int) -> int:
        """Return how many examples so many rows of tokens on disk are."""
        return rows // 2 if self.pairs else rows
