"""A curve of which most points are gone still looks, and is judged, as before."""

import json
import math
import random

import pytest

from agent.diagnosis.curve import LossCurve
from agent.diagnosis.curve_thinning import ASIDE, LIMIT, Point, chosen, loss_of, stretches
from agent.diagnosis.rules import Case, diagnose
from agent.report.plot import alt_text
from tests.agent.diagnosis.test_rules import SETTINGS

STEPS = 20_000
PIXEL = 1 / 700  # of the height of a plot
dice = random.Random(5)
NOISE = [dice.gauss(1, 0.06) for _ in range(STEPS)]


def noisy(shape: list[float]) -> list[float]:
    return [loss * factor for loss, factor in zip(shape, NOISE, strict=True)]


def curve(losses: list[float], validation: list[tuple[int, float]]) -> LossCurve:
    return LossCurve(train=list(enumerate(losses, start=1)), validation=validation, total_steps=len(losses))


FALLING = [0.8 + 2.2 * math.exp(-5 * at / STEPS) for at in range(STEPS)]
SPIKED = [9.5 if at in (4_000, 12_345) else loss for at, loss in enumerate(FALLING)]
GOOD = [(0, 3.0), (5_000, 2.0), (STEPS, 0.9)]
CURVES = {
    "good": curve(noisy(FALLING), GOOD),
    "unstable": curve(noisy(SPIKED), GOOD),
    "overfitting": curve(noisy(FALLING), [(0, 3.0), (5_000, 1.5), (12_000, 1.7), (STEPS, 2.4)]),
    "underfitting": curve(noisy([3.0] * STEPS), [(0, 3.0), (STEPS, 2.97)]),
}
each_curve = pytest.mark.parametrize("whole", CURVES.values(), ids=CURVES.keys())


def thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Thin a curve whose events are numbered as its steps are."""
    staying: set[int] = set()
    for stretch in stretches(points[-1][0]):
        within = [Point(number=step, loss=loss) for step, loss in points if step in stretch]
        staying |= chosen(within, stretch)
    return [point for point in points if point[0] in staying]


def after(whole: LossCurve) -> LossCurve:
    return LossCurve(train=thinned(whole.train), validation=whole.validation, total_steps=whole.total_steps)


@each_curve
def test_a_thinned_curve_has_a_few_hundred_points_and_its_ends_and_extremes(whole: LossCurve) -> None:
    left = after(whole).train
    assert len(left) <= LIMIT <= 480
    assert (left[0], left[-1]) == (whole.train[0], whole.train[-1])
    losses, kept = ([loss for _, loss in points] for points in (whole.train, left))
    assert (min(losses), max(losses)) == (min(kept), max(kept))


@each_curve
def test_the_smoothed_line_of_a_thinned_curve_moves_by_a_few_pixels_at_most(whole: LossCurve) -> None:
    before = dict(whole.smoothed())
    height = max(loss for _, loss in whole.train) - min(loss for _, loss in whole.train)
    moved = max(abs(loss - before[step]) for step, loss in after(whole).smoothed()[20:])
    assert moved <= 8 * PIXEL * height


@each_curve
def test_a_thinned_curve_is_diagnosed_and_said_as_before(whole: LossCurve) -> None:
    left = after(whole)
    cases = [Case(curve=each, settings=SETTINGS, train_rows=800) for each in (whole, left)]
    before, now = ([(advice.rule, advice.message) for advice in diagnose(case)] for case in cases)
    assert before == now
    assert alt_text(whole) == alt_text(left)


def test_a_spike_stays_as_narrow_as_it_was() -> None:
    steps = [step for step, _ in after(CURVES["unstable"]).train]
    at = steps.index(12_346)
    assert steps[at + 1] - steps[at - 1] <= 2 * ASIDE  # a line to a far point would draw a wide triangle


@each_curve
def test_what_was_thinned_is_thinned_no_more(whole: LossCurve) -> None:
    once = thinned(whole.train)
    assert thinned(once) == once


def test_a_short_curve_is_left_alone() -> None:
    points = [(step, 3.0) for step in range(1, 200)]
    assert thinned(points) == points


def test_steps_without_a_finite_loss_are_thinned_as_others() -> None:
    (stretch,) = [range(1, 101)]
    nothing = [Point(number=number, loss=None) for number in stretch]
    assert 1 < len(chosen(nothing, stretch)) < 20
    mixed = [Point(number=number, loss=None if number % 2 else 1.0 * number) for number in stretch]
    assert {2, 100} <= chosen(mixed, stretch)


@pytest.mark.parametrize(
    ("record", "loss"),
    [
        (json.dumps({"data": {"loss": 2}}), 2.0),
        (b'{"data": {"loss": null}}', None),
        ('{"data": []}', None),
        ("\x00 spoilt", None),
    ],
)
def test_a_record_that_cannot_be_read_is_a_point_without_a_loss(record: str | bytes, loss: float | None) -> None:
    assert loss_of(record) == loss
