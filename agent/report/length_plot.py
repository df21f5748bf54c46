"""How long the rows of a dataset are, as a picture that reads well on a phone, and the same in words."""

import io
from typing import TYPE_CHECKING

from agent.report.plot import BEST, INK, RATE, TRAIN, VALIDATION, style_axes
from shared.inspections import LengthHistogram
from shared.language import _, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CUT, LOST = "#e9a23b", VALIDATION


def draw_lengths(lengths: LengthHistogram, *, title: str) -> bytes:
    """Draw the rows by length as a PNG of 1200 by 900 pixels: kept, cut and lost, with the cut at max_length."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), dpi=150, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    style_axes(axes)
    _draw_bars(axes, lengths)
    _draw_cut(axes, lengths)
    shown = title if len(title) <= 34 else title[:33] + "…"
    axes.set_title(_("Row lengths · {name}", name=shown), fontsize=19, color=INK, loc="left", pad=14, weight="bold")
    last = grouped(lengths.width * (len(lengths.kept) - 1))
    axes.set_xlabel(_("tokens of a row (the last bar: {n} and more)", n=last), fontsize=14, color=INK)
    axes.set_ylabel(_("rows"), fontsize=14, color=INK)
    figure.legend(fontsize=13, loc="outside lower center", ncols=4, frameon=False, labelcolor=INK,
                  columnspacing=1.2, handlelength=1.4)  # fmt: skip
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def lengths_in_words(lengths: LengthHistogram) -> str:
    """Say in words what the picture shows."""
    return _(
        "Row lengths. {kept} rows are kept whole, {cut} lose the end of an answer and {lost} a whole answer at "
        "{max_length} tokens; {saves_all} tokens would keep all.",
        kept=grouped(sum(lengths.kept)),
        cut=grouped(sum(lengths.cut)),
        lost=grouped(sum(lengths.lost)),
        max_length=grouped(lengths.max_length),
        saves_all=grouped(lengths.saves_all),
    )


def _draw_bars(axes: "Axes", lengths: LengthHistogram) -> None:
    places = [place * lengths.width for place in range(len(lengths.kept))]
    ground = [0] * len(places)
    for rows, colour, label in (
        (lengths.kept, TRAIN, _("kept whole: {n}", n=grouped(sum(lengths.kept)))),
        (lengths.cut, CUT, _("answer cut: {n}", n=grouped(sum(lengths.cut)))),
        (lengths.lost, LOST, _("answer lost: {n}", n=grouped(sum(lengths.lost)))),
    ):
        if any(rows):
            axes.bar(places, rows, width=lengths.width * 0.9, bottom=ground, align="edge", color=colour, label=label)
            ground = [below + count for below, count in zip(ground, rows, strict=True)]
    axes.set_xlim(0, lengths.width * len(places) * 1.02)
    axes.set_ylim(0, max(1, *ground) * 1.1)
    axes.locator_params(axis="y", integer=True)


def _draw_cut(axes: "Axes", lengths: LengthHistogram) -> None:
    end = lengths.width * len(lengths.kept) * 1.02
    cuts = any(lengths.cut) or any(lengths.lost)
    if lengths.max_length <= end:
        axes.axvline(lengths.max_length, color=VALIDATION if cuts else BEST, linewidth=3, linestyle="--",
                     label=_("max_length: {n}", n=grouped(lengths.max_length)))  # fmt: skip
    else:
        axes.plot([], [], color=RATE, linewidth=3, linestyle="--",
                  label=_("max_length: {n}, to the right", n=grouped(lengths.max_length)))  # fmt: skip
