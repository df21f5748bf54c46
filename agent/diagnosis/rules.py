"""An ordered table from symptom to advice. Each advice quotes the number that called for it.

The symptoms and remedies are those of the loss-curve and troubleshooting tables (1 and 3) of the playbook this project
started from; thresholds that it does not give are ours, and stand beside their rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.diagnosis.curve import LossCurve
from shared.hyperparameters import ResolvedSettings
from shared.results import Advice

OVERFIT_RISE = 1.03  # held-out loss at the end, over its best
UNDERFIT_DROP = 0.05  # of the base model's held-out loss; less has hardly learned
FEW_ROWS = 100
FEW_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class Case:
    """A finished run, as the rules see it."""

    curve: LossCurve
    settings: ResolvedSettings
    train_rows: int
    answers: int  # tuned answers looked at
    unstopped: int  # those of them that ran into the length limit
    diverged: bool = False  # the loss became NaN


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row: a name, and what it says when it fires (None when it does not)."""

    name: str
    check: Callable[[Case], Advice | None]


def diagnose(case: Case) -> list[Advice]:
    """Return the advice that a run calls for, most pressing first."""
    return [advice for rule in RULES if (advice := rule.check(case)) is not None]


def _nan(case: Case) -> Advice | None:
    if not case.diverged:
        return None
    rate = case.settings.learning_rate
    return Advice(
        rule="nan",
        title="The loss exploded",
        message=f"It stopped being a number, at a learning rate of {rate:g}.",
        suggestion=f"Lower the learning rate five to ten times, to {rate / 10:g}, with more warm-up.",
        change={"learning_rate": rate / 10},
    )


def _unstable(case: Case) -> Advice | None:
    spikes = case.curve.spikes()
    if not spikes:
        return None
    step, loss = max(spikes, key=lambda point: point[1])
    rate = case.settings.learning_rate
    return Advice(
        rule="unstable",
        title="Unstable",
        message=f"The loss jumped to {loss:.2f} at step {step} ({len(spikes)} jump{'s' * (len(spikes) > 1)} in all).",
        suggestion=f"The learning rate is too high. Try {rate / 5:g} instead of {rate:g}, and look at the rows there.",
        change={"learning_rate": rate / 5},
    )


def _overfitting(case: Case) -> Advice | None:
    best, validation = case.curve.best, case.curve.validation
    if best is None or len(validation) < 3:
        return None
    last_step, last = validation[-1]
    if last_step <= best[0] or last < OVERFIT_RISE * best[1]:
        return None
    smooth = dict(case.curve.smoothed())
    if smooth and smooth.get(last_step, 0.0) > smooth.get(best[0], float("inf")):
        return None  # the train loss rose as well: that is no learning by heart
    epochs = max(1.0, round(case.settings.n_epochs * best[0] / max(case.curve.total_steps, 1), 1))
    return Advice(
        rule="overfitting",
        title="Overfitting",
        message=(
            f"On rows it never saw, the loss was best at step {best[0]} ({best[1]:.2f}) and rose to {last:.2f} by step "
            f"{last_step}, while the train loss went on falling. You get the weights of step {best[0]}."
        ),
        suggestion=f"Nothing is lost. Next time: {epochs:g} epochs, more dropout, or more varied rows.",
        change={"n_epochs": epochs},
    )


def _underfitting(case: Case) -> Advice | None:
    best, validation = case.curve.best, case.curve.validation
    if best is None or not validation or validation[0][0] != 0:
        return None
    base = validation[0][1]
    drop = 1 - best[1] / base
    if drop >= UNDERFIT_DROP:
        return None
    rate = case.settings.learning_rate
    return Advice(
        rule="underfitting",
        title="Hardly learned",
        message=f"The loss on unseen rows went from {base:.2f} to {best[1]:.2f}, which is {max(drop, 0):.0%}.",
        suggestion=(
            f"Train longer or harder: {case.settings.n_epochs + 2:g} epochs, a learning rate of "
            f"{min(2 * rate, 3e-4):g}, or rank {2 * case.settings.r}."
        ),
        change={"n_epochs": case.settings.n_epochs + 2, "r": 2 * case.settings.r},
    )


def _never_stops(case: Case) -> Advice | None:
    if case.unstopped * 4 <= case.answers:
        return None
    return Advice(
        rule="never-stops",
        title="Answers run on",
        message=f"{case.unstopped} of {case.answers} answers did not end by themselves.",
        suggestion="Train a little longer, or send rows whose answers are of more even length.",
        change={"n_epochs": case.settings.n_epochs + 1},
    )


def _little_data(case: Case) -> Advice | None:
    if case.train_rows >= FEW_ROWS * 0.8 and case.curve.total_steps >= FEW_STEPS:
        return None
    return Advice(
        rule="little-data",
        title="Little data",
        message=f"{case.train_rows} rows made {case.curve.total_steps} steps.",
        suggestion="More rows help most: 100 is a start, 500 good ones are a solid base, quality before quantity.",
    )


RULES: tuple[Rule, ...] = (
    Rule(name="nan", check=_nan),
    Rule(name="unstable", check=_unstable),
    Rule(name="overfitting", check=_overfitting),
    Rule(name="underfitting", check=_underfitting),
    Rule(name="never-stops", check=_never_stops),
    Rule(name="little-data", check=_little_data),
)
