"""What a training makes smaller, one class a loss. The formulas are those of TRL's trainers, and tested against them.

An objective sees examples, a batch of them, and a head that gives the log-likelihood of chosen tokens.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import ClassVar, Protocol

import torch
from torch.nn.functional import logsigmoid

from agent.methods.table import METHODS
from agent.pipeline.context import Context
from agent.pipeline.examples import Examples, Pairs, WithAnotherAnswer
from agent.pipeline.token_head import IGNORED, Batch, TrainedTokensHead
from agent.pipeline.token_rows import TokenRows, read_rows


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The loss of a batch as a sum over `units`, so that batches of any size add up to the same mean."""

    sum: torch.Tensor
    units: int
    figures: dict[str, float] = field(default_factory=dict)  # sums over units: accuracy, margin


class Objective(Protocol):
    """One loss."""

    compares: ClassVar[bool]  # with the model as it was before: examples carry a reference

    def examples(self, rows: TokenRows) -> Examples:
        """Return what of the rows is computed together."""

    def units(self, batch: Batch) -> int:
        """Return what the loss of a batch is a sum over: trained tokens, or examples."""

    def loss(self, head: TrainedTokensHead, batch: Batch) -> Loss:
        """Return the loss of a batch."""


def make_objective(method: str, *, beta: float | None, wanted_share: float = 0.5) -> Objective:
    """Build the objective of a method; `wanted_share` is of the training rows, those found good."""
    module, _colon, name = METHODS[method].objective.partition(":")
    objective: Objective = getattr(import_module(module), name)(beta=beta, wanted_share=wanted_share)
    return objective


def objective_of(context: Context) -> Objective:
    """Return what a job's method makes smaller."""
    share = read_rows(context.folder, "train").wanted_share
    return make_objective(context.spec.method, beta=context.spec.settings.beta, wanted_share=share)


class Supervised:
    """The negative log-likelihood of trained tokens, in nats."""

    compares: ClassVar[bool] = False

    def __init__(self, *, beta: float | None = None, wanted_share: float = 0.5) -> None:
        del beta, wanted_share

    def examples(self, rows: TokenRows) -> Examples:
        """Return each row by itself."""
        return Examples(rows)

    def units(self, batch: Batch) -> int:
        """Return the trained tokens of a batch."""
        return int((batch["labels"][:, 1:] != IGNORED).sum())

    def loss(self, head: TrainedTokensHead, batch: Batch) -> Loss:
        """Return the loss of a batch."""
        summed, count = head.summed_loss(batch)
        return Loss(sum=summed, units=count)


class _OfExamples:
    """A loss that is a mean over examples."""

    def __init__(self, *, beta: float | None, wanted_share: float = 0.5) -> None:
        assert beta is not None
        self._beta = beta
        self._weights = weights(wanted_share)

    def units(self, batch: Batch) -> int:
        """Return the examples of a batch."""
        return len(batch["wanted"])


class Dpo(_OfExamples):
    """Direct preference optimization (arXiv 2305.18290, equation 7)."""

    compares: ClassVar[bool] = True

    def examples(self, rows: TokenRows) -> Examples:
        """Return pairs."""
        return Pairs(rows)

    def loss(self, head: TrainedTokensHead, batch: Batch) -> Loss:
        """Return the loss of a batch of pairs."""
        rewards = self._beta * (answer_likelihoods(head, batch) - batch["reference"].flatten())
        better, worse = rewards.chunk(2)
        return Loss(sum=-logsigmoid(better - worse).sum(), units=len(better), figures=_figures(better, worse))


class Orpo(_OfExamples):
    """Odds ratio preference optimization (arXiv 2403.07691): the better talk is learned whole, the worse avoided."""

    compares: ClassVar[bool] = False

    def examples(self, rows: TokenRows) -> Examples:
        """Return pairs."""
        return Pairs(rows)

    def loss(self, head: TrainedTokensHead, batch: Batch) -> Loss:
        """Return the loss of a batch of pairs."""
        trained, there = batch["labels"][:, 1:] != IGNORED, batch["attention_mask"][:, 1:].bool()
        pairs = len(batch["wanted"])
        whole = there & (torch.arange(len(there), device=there.device) < pairs)[:, None]
        losses = head.losses(batch, trained | whole)
        likelihoods = -(losses * trained).sum(1) / trained.sum(1).clamp(min=1)
        better, worse = likelihoods.chunk(2)
        odds = (better - worse) - (_log_of_rest(better) - _log_of_rest(worse))
        learned = (losses * whole).sum() / whole.sum()
        return Loss(
            sum=pairs * learned - self._beta * logsigmoid(odds).sum(),
            units=pairs,
            figures=_figures(self._beta * better, self._beta * worse),
        )


class Kto(_OfExamples):
    """Kahneman-Tversky optimization (arXiv 2402.01306, equation 7): answers that are labelled good or bad.

    How far the model has drifted is measured on questions with answers of other rows. Both kinds weigh the same in
    all, whichever there are more of.
    """

    compares: ClassVar[bool] = True

    def examples(self, rows: TokenRows) -> Examples:
        """Return rows, each beside its question with another answer."""
        return WithAnotherAnswer(rows)

    def loss(self, head: TrainedTokensHead, batch: Batch) -> Loss:
        """Return the loss of a batch."""
        wanted, reference = batch["wanted"], batch["reference"]
        own, other = ({key: batch[key].chunk(2)[half] for key in ROWS} for half in (0, 1))
        with torch.no_grad():
            drift = (answer_likelihoods(head, other) - reference[1]).mean().clamp(min=0)
        moved = answer_likelihoods(head, own) - reference[0]
        sign = wanted.float() * 2 - 1
        losses = 1 - torch.sigmoid(self._beta * sign * (moved - drift))
        good, bad = self._weights
        weighted = torch.where(wanted, good, bad) * losses
        as_labelled = (moved.detach() * sign > 0).sum()
        margin = (self._beta * sign * moved.detach()).sum()
        figures = {"accuracy": float(as_labelled), "margin": float(margin)}
        return Loss(sum=weighted.sum(), units=len(wanted), figures=figures)


ROWS = ("input_ids", "labels", "attention_mask")


def weights(wanted_share: float) -> tuple[float, float]:
    """Return what a good and a bad answer count, so that both kinds count the same in all and 1 on average."""
    if not 0 < wanted_share < 1:
        return 1.0, 1.0
    return 0.5 / wanted_share, 0.5 / (1 - wanted_share)


def answer_likelihoods(head: TrainedTokensHead, batch: Batch) -> torch.Tensor:
    """Return the log-likelihood of each row's answer, in nats: of shape (rows)."""
    return -head.losses(batch, batch["labels"][:, 1:] != IGNORED).sum(1)


def _figures(better: torch.Tensor, worse: torch.Tensor) -> dict[str, float]:
    margins = (better - worse).detach()
    return {"accuracy": float((margins > 0).sum()), "margin": float(margins.sum())}


def _log_of_rest(log_likelihood: torch.Tensor) -> torch.Tensor:
    """Return log(1 - exp(x)) of x below 0, exact at both ends (as TRL's log1mexp)."""
    flip = log_likelihood > -0.6931472
    near = torch.log(-torch.expm1(log_likelihood.where(flip, torch.full_like(log_likelihood, -0.1))))
    far = torch.log1p(-torch.exp(log_likelihood.where(~flip, torch.full_like(log_likelihood, -1.0))))
    return torch.where(flip, near, far)
