"""An ordered table from symptom to advice. Each advice quotes the number that called for it.

The symptoms and remedies are those of the loss-curve and troubleshooting tables (1 and 3) of the playbook this project
started from; thresholds that it does not give are ours, and stand beside their rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.diagnosis.curve import LossCurve
from shared.errors import ErrorCode
from shared.hyperparameters import ResolvedSettings
from shared.language import _, apart, decimal, ngettext
from shared.results import Advice

OVERFIT_RISE = 1.03  # held-out loss at the end, over its best
UNDERFIT_DROP = 0.05  # of the base model's held-out loss; less has hardly learned
FEW_ROWS = 100
FEW_STEPS = 40
SHORT_LENGTH = 256  # tokens; rows cut shorter than this lose their answers
LOW_RANK = 8


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run that is over, as the rules see it."""

    curve: LossCurve
    settings: ResolvedSettings
    train_rows: int = 0
    answers: int = 0  # tuned answers looked at
    unstopped: int = 0  # those of them that ran into the length limit
    ended: ErrorCode | None = None  # what broke it off: the loss became NaN, or the memory was not enough


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row: a name, and what it says when it fires (None when it does not)."""

    name: str
    check: Callable[[Case], Advice | None]


def diagnose(case: Case) -> list[Advice]:
    """Return the advice that a run calls for, most pressing first; of one that broke off, what would have kept it."""
    if case.ended is not None:
        return [BROKEN_OFF[case.ended](case)] if case.ended in BROKEN_OFF else []
    return [advice for rule in RULES if (advice := rule.check(case)) is not None]


def _nan(case: Case) -> Advice:
    rate = case.settings.learning_rate
    return Advice(
        rule="nan",
        title=_("The loss exploded"),
        message=_("It stopped being a number, at a learning rate of {rate:g}.", rate=rate),
        suggestion=_("Lower the learning rate five to ten times, to {rate:g}, with more warm-up.", rate=rate / 10),
        change={"learning_rate": rate / 10},
    )


def _out_of_memory(case: Case) -> Advice:
    settings = case.settings
    rows, length, r = settings.per_device_train_batch_size, settings.max_length, settings.r
    change: dict[str, float] = {}
    if rows > 1:
        fewer = max(n for n in range(1, rows) if settings.batch_size % n == 0)
        change = {"per_device_train_batch_size": fewer}
        suggestion = ngettext(
            "Take {n} row at a time instead of {rows}. It learns the same and takes somewhat longer.",
            "Take {n} rows at a time instead of {rows}. It learns the same and takes somewhat longer.",
            fewer,
            rows=rows,
        )
    elif length > SHORT_LENGTH:
        shorter = max(SHORT_LENGTH, length // 2)
        change = {"max_length": shorter}
        suggestion = _("Cut rows at {shorter} tokens instead of {length}.", shorter=shorter, length=length)
    elif r > LOW_RANK:
        change = {"r": LOW_RANK}
        suggestion = _("Use rank {low} instead of {rank}.", low=LOW_RANK, rank=r)
    else:
        suggestion = _("Close what else uses the memory of that machine, or choose a smaller model.")
    return Advice(
        rule="out-of-memory",
        title=_("Too little memory"),
        message=ngettext(
            "{n} row of up to {length} tokens at a time was too much.",
            "{n} rows of up to {length} tokens at a time were too much.",
            rows,
            length=length,
        ),
        suggestion=suggestion,
        change=change,
    )


def _unstable(case: Case) -> Advice | None:
    spikes = case.curve.spikes()
    if not spikes:
        return None
    step, loss = max(spikes, key=lambda point: point[1])
    rate = case.settings.learning_rate
    return Advice(
        rule="unstable",
        title=_("Unstable"),
        message=ngettext(
            "The loss jumped to {loss} at step {step} ({n} jump in all).",
            "The loss jumped to {loss} at step {step} ({n} jumps in all).",
            len(spikes),
            loss=decimal(loss, 2),
            step=step,
        ),
        suggestion=_(
            "The learning rate is too high. Try {better:g} instead of {rate:g}, and look at the rows there.",
            better=rate / 5,
            rate=rate,
        ),
        change={"learning_rate": rate / 5},
    )


def _overfitting(case: Case) -> Advice | None:
    best, validation = case.curve.best, case.curve.validation
    if best is None or len(validation) < 3:
        return None
    last_step, last = validation[-1]
    if last_step <= best[0] or last <= best[1] or last < OVERFIT_RISE * best[1]:
        return None
    smooth = dict(case.curve.smoothed())
    if smooth and smooth.get(last_step, 0.0) > smooth.get(best[0], float("inf")):
        return None  # the train loss rose as well: that is no learning by heart
    best_loss, last_loss = apart(best[1], last, 2)
    epochs = max(1.0, round(case.settings.n_epochs * best[0] / max(case.curve.total_steps, 1), 1))
    often = _("1 epoch") if epochs == 1 else _("{n:g} epochs", n=epochs)
    return Advice(
        rule="overfitting",
        title=_("Overfitting"),
        message=(
            _(
                "On rows it never saw, the loss was best at step {step} ({best}) and rose to {last} by "
                "step {last_step}, while the train loss went on falling. You get the weights of step "
                "{step}.",
                step=best[0],
                best=best_loss,
                last=last_loss,
                last_step=last_step,
            )
        ),
        suggestion=_("Nothing is lost. Next time: {often}, a lower learning rate, or more varied rows.", often=often)
        if case.settings.beta is not None  # such methods run without dropout
        else _("Nothing is lost. Next time: {often}, more dropout, or more varied rows.", often=often),
        change={"n_epochs": epochs},
    )


def _underfitting(case: Case) -> Advice | None:
    best, validation = case.curve.best, case.curve.validation
    if best is None or not validation or validation[0][0] != 0 or case.settings.beta is not None:
        return None  # a loss of comparing answers has its own measure, and the method its own verdict
    base = validation[0][1]
    if base <= 0 or 1 - best[1] / base >= UNDERFIT_DROP:  # at a loss of 0 there was nothing left to learn
        return None
    rate = case.settings.learning_rate
    return Advice(
        rule="underfitting",
        title=_("Hardly learned"),
        message=_went(base, best[1]),
        suggestion=(
            _(
                "Train longer or harder: {n_epochs:g} epochs, a learning rate of {rate:g}, or rank {rank}.",
                n_epochs=case.settings.n_epochs + 2,
                rate=min(2 * rate, 0.0003),
                rank=2 * case.settings.r,
            )
        ),
        change={"n_epochs": case.settings.n_epochs + 2, "r": 2 * case.settings.r},
    )


def _went(base: float, best: float) -> str:
    """Say what became of the loss on unseen rows."""
    before, after = apart(base, best, 2)
    if before == after:
        return _("The loss on unseen rows stayed at {base}.", base=before)
    if best > base:
        return _("The loss on unseen rows rose from {base} to {best}.", base=before, best=after)
    percent = decimal(100 * (1 - best / base), 1)
    return _("The loss on unseen rows fell from {base} to {best}, by {percent} %.", base=before, best=after,
             percent=percent)  # fmt: skip


def _never_stops(case: Case) -> Advice | None:
    if case.unstopped * 4 <= case.answers:
        return None
    return Advice(
        rule="never-stops",
        title=_("Answers run on"),
        message=_(
            "{unstopped} of {answers} answers did not end by themselves.",
            unstopped=case.unstopped,
            answers=case.answers,
        ),
        suggestion=_("Train a little longer, or send rows whose answers are of more even length."),
        change={"n_epochs": case.settings.n_epochs + 1},
    )


def _little_data(case: Case) -> Advice | None:
    if case.train_rows >= FEW_ROWS * 0.8 and case.curve.total_steps >= FEW_STEPS:
        return None
    return Advice(
        rule="little-data",
        title=_("Little data"),
        message=ngettext(
            "{rows} rows made {n} step.",
            "{rows} rows made {n} steps.",
            case.curve.total_steps,
            rows=case.train_rows,
        ),
        suggestion=_("More rows help most: 100 is a start, 500 good ones are a solid base, quality before quantity."),
    )


BROKEN_OFF: dict[ErrorCode, Callable[[Case], Advice]] = {
    ErrorCode.training_diverged: _nan,
    ErrorCode.insufficient_memory: _out_of_memory,
}
RULES: tuple[Rule, ...] = (
    Rule(name="unstable", check=_unstable),
    Rule(name="overfitting", check=_overfitting),
    Rule(name="underfitting", check=_underfitting),
    Rule(name="never-stops", check=_never_stops),
    Rule(name="little-data", check=_little_data),
)
