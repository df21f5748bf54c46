"""What a training achieved, in a sentence, by the figure that its method goes by. Pure."""

from math import comb, sqrt
from statistics import NormalDist

from agent.methods.measured import Measured
from shared.language import _, apart, decimal, ngettext

NOTICED = 0.05  # of the loss; less is little
WELL = 0.25
CHANCE = 0.5  # share of pairs that a model gets right which learned nothing
MANY = 1000  # throws, of which a normal distribution tells as much
UNLIKELY = 0.05  # that chance does as well: above it so few rows prove nothing


def learned_rows(measured: Measured) -> str:
    """Say how the loss on held-out rows changed."""
    before_loss, after_loss = measured.before, measured.after
    drop = 1 - after_loss / before_loss if before_loss > 0 else 0.0
    if abs(drop) < NOTICED and decimal(before_loss, 2) == decimal(after_loss, 2):  # what rounds to the same is the same
        return ngettext(
            "It hardly changed: the loss on {n} row it never trained on stayed at {loss}.",
            "It hardly changed: the loss on {n} rows it never trained on stayed at {loss}.",
            measured.rows,
            loss=decimal(after_loss, 2),
        )
    before, after = apart(before_loss, after_loss, 2)
    if drop >= WELL:
        said = _("It learned your data well")
    elif drop >= NOTICED:
        said = _("It learned something of your data")
    elif drop > 0:
        said = _("It hardly changed")
    else:
        said = _("It got worse than the base model")
    return ngettext(
        "{said}: the loss on {n} row it never trained on went from {before} to {after}.",
        "{said}: the loss on {n} rows it never trained on went from {before} to {after}.",
        measured.rows,
        said=said,
        before=before,
        after=after,
    )


def learned_choice(measured: Measured) -> str:
    """Say of how many held-out pairs the better answer gained on the worse one."""
    return ngettext(
        "{said}: of {n} pair it never trained on, it moved towards the better answer in {right}; "
        "the loss went from {before} to {after}.",
        "{said}: of {n} pairs it never trained on, it moved towards the better answer in {right}; "
        "the loss went from {before} to {after}.",
        measured.rows,
        said=_better(measured),
        **_figures(measured),
    )


def learned_odds(measured: Measured) -> str:
    """Say of how many held-out pairs the better answer is the likelier one, and of how many it was before."""
    was = round((measured.accuracy_before or 0.0) * measured.rows)
    return ngettext(
        "{said}: of {n} pair it never trained on, it finds the better answer likelier in {right}, before in {was}; "
        "the loss went from {before} to {after}.",
        "{said}: of {n} pairs it never trained on, it finds the better answer likelier in {right}, before in {was}; "
        "the loss went from {before} to {after}.",
        measured.rows,
        said=_better(measured, was=was),
        was=was,
        **_figures(measured),
    )


def learned_labels(measured: Measured) -> str:
    """Say of how many held-out answers the likelihood moved as their label says."""
    if _right(measured) <= CHANCE * measured.rows or measured.after >= measured.before:
        said = _("It did not learn which answers are good")
    elif by_chance(_right(measured), measured.rows) > UNLIKELY:
        said = _("It may have learned which answers are good")
    else:
        said = _("It learned which answers are good")
    return ngettext(
        "{said}: of {n} answer it never trained on, {right} moved as its label says; the loss went from {before} "
        "to {after}.",
        "{said}: of {n} answers it never trained on, {right} moved as their label says; the loss went from {before} "
        "to {after}.",
        measured.rows,
        said=said,
        **_figures(measured),
    )


def by_chance(right: int, of: int) -> float:
    """Return how probable it is that a coin thrown `of` times shows heads `right` times or more."""
    if of > MANY:
        return 1 - NormalDist(of / 2, sqrt(of) / 2).cdf(right - 0.5)
    return float(sum(comb(of, n) for n in range(right, of + 1)) / 2**of)


def _better(measured: Measured, *, was: int = 0) -> str:
    """Say whether it learned to tell them: more are right than by chance and than before, and the loss fell."""
    right = _right(measured)
    if right <= CHANCE * measured.rows or right < was or measured.after >= measured.before:
        return _("It did not learn which answers are better")
    if by_chance(right, measured.rows) > UNLIKELY or right == was:
        return _("It may have learned which answers are better")
    return _("It learned which answers are better")


def _right(measured: Measured) -> int:
    return round((measured.accuracy or 0.0) * measured.rows)


def _figures(measured: Measured) -> dict[str, str]:
    before, after = apart(measured.before, measured.after, 2)
    return {"right": str(_right(measured)), "before": before, "after": after}
