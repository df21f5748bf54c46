"""The loss plot: a picture that reads well on a phone, and the same in words."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.diagnosis.curve import LossCurve
from shared.language import _, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DARK", "LIGHT", "LossCurve", "Theme", "alt_text", "draw_loss_plot"]

TRAIN, VALIDATION, BEST, RATE, INK, GRID = "#2a6f97", "#d1495b", "#1b7f4d", "#8a8f98", "#22262b", "#e3e6ea"


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours and the shape of a plot."""

    size: tuple[float, float] = (8, 7)  # inches of 150 pixels
    ground: str = "white"
    ink: str = INK
    grid: str = GRID
    train: str = TRAIN
    validation: str = VALIDATION
    best: str = BEST


LIGHT = Theme()
DARK = Theme(  # as a chat on a dark ground shows it: twice as wide as high
    size=(8, 4), ground="#2b2d31", ink="#e6e8eb", grid="#44474d", train="#5fb0e5", validation="#ff7b8a", best="#4cd08a"
)


def draw_loss_plot(curve: LossCurve, *, title: str, theme: Theme = LIGHT) -> bytes:
    """Draw the run so far as a PNG, by day of 1200 by 1050 pixels: losses above, learning rate small below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=theme.size, dpi=150, facecolor=theme.ground, layout="constrained")
    FigureCanvasAgg(figure)
    losses, rate = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    _draw_losses(losses, curve, theme)
    losses.set_title(title, fontsize=19, color=theme.ink, loc="left", pad=14, weight="bold")
    _draw_rate(rate, curve, theme)
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


def _draw_losses(axes: "Axes", curve: LossCurve, theme: Theme) -> None:
    style_axes(axes, theme)
    axes.set_ylabel(_("loss (nats per token)"), fontsize=14, color=theme.ink)
    if not curve.train and not curve.validation:
        axes.text(0.5, 0.5, _("no step yet"), transform=axes.transAxes, ha="center", fontsize=18, color=RATE)
        return
    if curve.train:
        axes.plot(
            *zip(*curve.train, strict=True), color=theme.train, alpha=0.25, linewidth=1.5, label=_("train, each step")
        )
        axes.plot(*zip(*curve.smoothed(), strict=True), color=theme.train, linewidth=3, label=_("train (smoothed)"))
    if curve.validation:
        axes.plot(
            *zip(*curve.validation, strict=True),
            color=theme.validation, linewidth=3, marker="o", markersize=7, label=_("held-out rows"),
        )  # fmt: skip
    best = curve.best
    if best is not None and best[0] > 0:
        axes.plot(*best, marker="*", markersize=24, color=theme.best, markeredgecolor=theme.ground, linestyle="none",
                  zorder=5, label=_("best: {best} at step {step}", best=decimal(best[1], 2), step=best[0]))  # fmt: skip
    losses = [loss for _, loss in [*curve.train, *curve.validation]]
    axes.set_ylim(max(0.0, min(losses) - 0.1 * (max(losses) - min(losses)) - 0.05), max(losses) * 1.04 + 0.05)
    axes.legend(fontsize=14, frameon=False, loc="upper right", labelcolor=theme.ink)


def _draw_rate(axes: "Axes", curve: LossCurve, theme: Theme) -> None:
    style_axes(axes, theme)
    axes.set_xlabel(_("optimizer step"), fontsize=14, color=theme.ink)
    axes.set_ylabel("learning\nrate", fontsize=12, color=theme.ink)
    if curve.learning_rate:
        steps, rates = zip(*curve.learning_rate, strict=True)
        axes.fill_between(steps, rates, color=RATE, alpha=0.25, linewidth=0)
        axes.plot(steps, rates, color=RATE, linewidth=2)
        axes.set_ylim(0, max(rates) * 1.15 or 1)
        axes.set_yticks([0, max(rates)], ["0", f"{max(rates):.0e}".replace("e-0", "e-")])


def style_axes(axes: "Axes", theme: Theme = LIGHT) -> None:
    """Draw the ground of every plot: a light grid, no frame."""
    axes.set_facecolor(theme.ground)
    axes.grid(color=theme.grid, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=13, colors=theme.ink, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
