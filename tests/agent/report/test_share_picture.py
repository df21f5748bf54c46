"""The picture of a finished model to post."""

import struct

import pytest

from agent.diagnosis.curve import LossCurve
from agent.report.share_picture import Shared, draw_share_picture, share_alt_text

CURVE = LossCurve(train=[(step, 3 - step / 50) for step in range(1, 46)], total_steps=45)


def shared(**more: str) -> Shared:
    said = {"question": "What is a CPU?", "before": "A chip.", "after": "The captain's head, arr!"} | more
    return Shared(name="pirate", base_model="smollm2-135m", device="RTX 4090", time="3 minutes", curve=CURVE, **said)


@pytest.mark.parametrize(
    "after",
    ["", "$x_1$ and $y", "🏴‍☠️ 海賊 🦜", "word " * 400, "x" * 500, "one\ntwo\n\nthree", "\\alpha {\\ _^"],
)
def test_whatever_is_said_is_drawn(after: str) -> None:
    png = draw_share_picture(shared(after=after, before=after, question=after))
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1080, 1350)


def test_a_run_without_a_curve_is_drawn_too() -> None:
    assert draw_share_picture(Shared(**{**vars(shared()), "curve": LossCurve()})).startswith(b"\x89PNG")


def test_it_is_told_in_words() -> None:
    words = share_alt_text(shared(before="A\nchip."))
    assert words == "pirate is asked “What is a CPU?”. Before: “A chip.” After: “The captain's head, arr!”"
