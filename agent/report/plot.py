"""The loss plot: a picture that reads well on a phone, and the same in words."""

import io
from typing import TYPE_CHECKING

from agent.diagnosis.curve import LossCurve
from shared.language import _, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LossCurve", "alt_text", "draw_loss_plot"]

TRAIN, VALIDATION, BEST, RATE, INK, GRID = "#2a6f97", "#d1495b", "#1b7f4d", "#8a8f98", "#22262b", "#e3e6ea"


def draw_loss_plot(curve: LossCurve, *, title: str) -> bytes:
    """Draw the run so far as a PNG of 1200 by 1050 pixels: losses above, learning rate small below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 7), dpi=150, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    losses, rate = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    _draw_losses(losses, curve)
    losses.set_title(title, fontsize=19, color=INK, loc="left", pad=14, weight="bold")
    _draw_rate(rate, curve)
    end = max([curve.total_steps, 1, *(step for step, _ in curve.train[-1:])])
    rate.set_xlim(-0.02 * end, 1.02 * end)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def alt_text(curve: LossCurve) -> str:
    """Say in words what the plot shows: start, now and best."""
    if not curve.train:
        return _("Loss plot: no step yet.")
    start, now = curve.train[0], curve.smoothed()[-1]
    parts = [
        _(
            "Loss plot. Train loss {start} at the start, {now} now (step {step}).",
            start=decimal(start[1], 2),
            now=decimal(now[1], 2),
            step=now[0],
        )
    ]
    if curve.validation and curve.best:
        first, last = curve.validation[0], curve.validation[-1]
        parts.append(
            _(
                "Held-out loss {first} at the start, {last} now, best {best} at step {step}.",
                first=decimal(first[1], 2),
                last=decimal(last[1], 2),
                best=decimal(curve.best[1], 2),
                step=curve.best[0],
            )
        )
    return " ".join(parts)


def _draw_losses(axes: "Axes", curve: LossCurve) -> None:
    style_axes(axes)
    axes.set_ylabel(_("loss (nats per token)"), fontsize=14, color=INK)
    if not curve.train and not curve.validation:
        axes.text(0.5, 0.5, _("no step yet"), transform=axes.transAxes, ha="center", fontsize=18, color=RATE)
        return
    if curve.train:
        axes.plot(*zip(*curve.train, strict=True), color=TRAIN, alpha=0.25, linewidth=1.5, label=_("train, each step"))
        axes.plot(*zip(*curve.smoothed(), strict=True), color=TRAIN, linewidth=3, label=_("train (smoothed)"))
    if curve.validation:
        axes.plot(
            *zip(*curve.validation, strict=True),
            color=VALIDATION, linewidth=3, marker="o", markersize=7, label=_("held-out rows"),
        )  # fmt: skip
    best = curve.best
    if best is not None and best[0] > 0:
        axes.plot(*best, marker="*", markersize=24, color=BEST, markeredgecolor="white", linestyle="none", zorder=5,
                  label=_("best: {best} at step {step}", best=decimal(best[1], 2), step=best[0]))  # fmt: skip
    losses = [loss for _, loss in [*curve.train, *curve.validation]]
    axes.set_ylim(max(0.0, min(losses) - 0.1 * (max(losses) - min(losses)) - 0.05), max(losses) * 1.04 + 0.05)
    axes.legend(fontsize=14, frameon=False, loc="upper right", labelcolor=INK)


def _draw_rate(axes: "Axes", curve: LossCurve) -> None:
    style_axes(axes)
    axes.set_xlabel(_("optimizer step"), fontsize=14, color=INK)
    axes.set_ylabel("learning\nrate", fontsize=12, color=INK)
    if curve.learning_rate:
        steps, rates = zip(*curve.learning_rate, strict=True)
        axes.fill_between(steps, rates, color=RATE, alpha=0.25, linewidth=0)
        axes.plot(steps, rates, color=RATE, linewidth=2)
        axes.set_ylim(0, max(rates) * 1.15 or 1)
        axes.set_yticks([0, max(rates)], ["0", f"{max(rates):.0e}".replace("e-0", "e-")])


def style_axes(axes: "Axes") -> None:
    """Draw the ground of every plot: a light grid, no frame."""
    axes.grid(color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=13, colors=INK, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
