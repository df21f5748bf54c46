import io

import pytest
from PIL import Image

from agent.diagnosis.curve import LossCurve
from agent.report.plot import DARK, alt_text, draw_loss_plot

RUN = LossCurve(
    train=[(n, 3.0 - 0.02 * n) for n in range(1, 60)],
    validation=[(0, 3.1), (20, 2.5), (40, 2.2), (59, 2.3)],
    learning_rate=[(n, 1e-4) for n in range(1, 60)],
    total_steps=60,
)


@pytest.mark.parametrize("curve", [RUN, LossCurve(), LossCurve(train=[(1, 2.0)]), LossCurve(validation=[(0, 3.0)])])
def test_a_plot_can_be_drawn_at_every_moment_of_a_run(curve: LossCurve) -> None:
    image = Image.open(io.BytesIO(draw_loss_plot(curve, title="toast · job #1")))
    assert image.format == "PNG"
    assert image.size == (1200, 1050)


@pytest.mark.parametrize("curve", [RUN, LossCurve()])
def test_for_a_dark_ground_it_is_dark_and_twice_as_wide_as_high(curve: LossCurve) -> None:
    image = Image.open(io.BytesIO(draw_loss_plot(curve, title="toast", theme=DARK))).convert("RGB")
    assert image.size == (1200, 600)
    assert image.getpixel((2, 2)) == (0x2B, 0x2D, 0x31)


def test_the_picture_is_told_in_words() -> None:
    text = alt_text(RUN)
    assert text.startswith("Loss plot. Train loss 2.98 at the start")
    assert "best 2.20 at step 40" in text


def test_before_the_first_step_the_words_say_so() -> None:
    assert alt_text(LossCurve()) == "Loss plot: no step yet."
