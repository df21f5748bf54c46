"""One picture to post of a finished model: a question, what the base model said and what the tuned one says."""

import functools
import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.diagnosis.curve import LossCurve
from shared.language import _

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 1080, 1350, 150  # pixels: as tall as feeds show whole
MARGIN = 70
GROUND, INK, QUIET, ASKED, BEFORE, AFTER = "#171a21", "#f4f1ea", "#98a0ae", "#3b5bdb", "#2a2f3a", "#e8590c"
POINTS = 17  # of type
LINE = 52  # pixels from one line of it to the next
CHARACTERS = 44  # of a line
NAME_FITS, MADE_FITS = 22, 34  # characters in the largest type, the second beside the curve
SPOKEN = 300  # characters of each text that are told in words: they travel in a header
LINES = {"asked": 2, "before": 4, "after": 6}  # as many as a bubble may have


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the picture says; whoever has it drawn has agreed to show it."""

    name: str
    base_model: str
    question: str
    before: str
    after: str
    device: str
    time: str  # in words
    curve: LossCurve


def draw_share_picture(shared: Shared) -> bytes:
    """Draw a PNG of 1080 by 1350 pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    FigureCanvasAgg(figure)
    name = _plain(shared.name)
    size = _size(name, at_most=32, fits=NAME_FITS)
    figure.text(MARGIN / WIDTH, 1 - 120 / HEIGHT, name, fontsize=size, color=INK, weight="bold")
    learned = _("learned from {model}", model=_plain(shared.base_model))
    figure.text(MARGIN / WIDTH, 1 - 165 / HEIGHT, learned, fontsize=14, color=QUIET)
    top = 225
    top = _bubble(figure, shared.question, top, "asked", colour=ASKED, right=True)
    top = _bubble(figure, shared.before, top, "before", colour=BEFORE, label=_("before"))
    _bubble(figure, shared.after, top, "after", colour=AFTER, label=_("after"))
    _sparkline(figure, shared.curve)
    made = " · ".join(filter(None, [_plain(shared.device).removeprefix("NVIDIA "), shared.time]))
    size = _size(made, at_most=14, fits=MADE_FITS)
    figure.text(MARGIN / WIDTH, 86 / HEIGHT, made, fontsize=size, color=INK)
    figure.text(MARGIN / WIDTH, 46 / HEIGHT, _("trained at home with Hearth"), fontsize=13, color=QUIET)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=GROUND)
    return buffer.getvalue()


def cannot_draw(*texts: str) -> str:
    """Return the letters that the picture's font has not, each once: without them nobody could read it."""
    known = _characters()
    return "".join(dict.fromkeys(char for text in texts for char in text if char.isalpha() and ord(char) not in known))


def share_alt_text(shared: Shared) -> str:
    """Say in words what the picture shows."""
    return _(
        "{name} is asked “{question}”. Before: “{before}” After: “{after}”",
        name=shared.name,
        question=_short(shared.question),
        before=_short(shared.before),
        after=_short(shared.after),
    )


def _short(text: str) -> str:
    return textwrap.shorten(text, SPOKEN, placeholder=" …")


def _bubble(
    figure: "Figure", said: str, top: int, kind: str, *, colour: str, right: bool = False, label: str = ""
) -> int:
    """Draw what somebody said, from `top` down, in pixels; return where the next thing may begin."""
    from matplotlib.patches import FancyBboxPatch

    lines = textwrap.wrap(_plain(said) or "…", CHARACTERS, max_lines=LINES[kind], placeholder=" …")
    if label:
        figure.text(MARGIN / WIDTH, 1 - (top + 22) / HEIGHT, label, fontsize=13, color=QUIET)
        top += 40
    height = LINE * len(lines) + 44
    width = min(WIDTH - 2 * MARGIN, 22 * max(map(len, lines)) + 90)
    left = WIDTH - MARGIN - width if right else MARGIN
    figure.add_artist(
        FancyBboxPatch(
            (left / WIDTH, 1 - (top + height) / HEIGHT), width / WIDTH, height / HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.025", mutation_aspect=WIDTH / HEIGHT, facecolor=colour, linewidth=0,
            transform=figure.transFigure,
        )
    )  # fmt: skip
    for n, line in enumerate(lines):
        figure.text((left + 36) / WIDTH, 1 - (top + 60 + LINE * n) / HEIGHT, line, fontsize=POINTS, color=INK)
    return top + height + 40


def _sparkline(figure: "Figure", curve: LossCurve) -> None:
    """Draw how the loss fell, without figures: it is there for its look."""
    points = curve.smoothed()
    if len(points) < 2:
        return
    axes = figure.add_axes((0.62, 34 / HEIGHT, 0.31, 90 / HEIGHT))
    axes.plot(*zip(*points, strict=True), color=AFTER, linewidth=3)
    axes.axis("off")


def _size(text: str, *, at_most: float, fits: int) -> float:
    """Return the size of type, in points, in which a text is no wider than its place."""
    return at_most * min(1.0, fits / max(1, len(text)))


def _plain(text: str) -> str:
    """Return a text in one line, without what the font has not, and nothing that would be read as mathematics."""
    known = _characters()
    drawn = "".join(char if ord(char) in known else " " for char in text)
    return " ".join(drawn.split()).replace("$", r"\$")


@functools.cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
