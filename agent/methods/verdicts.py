"""What a training achieved, in a sentence, by the figure that its method goes by. Pure."""

from agent.methods.measured import Measured
from shared.language import _, apart, decimal, ngettext

NOTICED = 0.05  # of the loss; less is little
WELL = 0.25
CHANCE, CLEARLY = 0.5, 0.7  # share of pairs of which the better answer became likelier


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
    """Say of how many held-out pairs the better answer became the likelier one."""
    share = measured.accuracy or 0.0
    right = round(share * measured.rows)
    if share >= CLEARLY:
        said = _("It learned which answers are better")
    elif share > CHANCE:
        said = _("It learned something of which answers are better")
    else:
        said = _("It did not learn which answers are better")
    before, after = apart(measured.before, measured.after, 2)
    return ngettext(
        "{said}: of {n} pair it never trained on, it moved towards the better answer in {right}; "
        "the loss went from {before} to {after}.",
        "{said}: of {n} pairs it never trained on, it moved towards the better answer in {right}; "
        "the loss went from {before} to {after}.",
        measured.rows,
        said=said,
        right=right,
        before=before,
        after=after,
    )


def learned_labels(measured: Measured) -> str:
    """Say of how many held-out answers the likelihood moved as their label says."""
    share = measured.accuracy or 0.0
    if share >= CLEARLY:
        said = _("It learned which answers are good")
    elif share > CHANCE:
        said = _("It learned something of which answers are good")
    else:
        said = _("It did not learn which answers are good")
    before, after = apart(measured.before, measured.after, 2)
    return ngettext(
        "{said}: of {n} answer it never trained on, {right} moved as its label says; the loss went from {before} "
        "to {after}.",
        "{said}: of {n} answers it never trained on, {right} moved as their label says; the loss went from {before} "
        "to {after}.",
        measured.rows,
        said=said,
        right=round(share * measured.rows),
        before=before,
        after=after,
    )
