import io

import pytest
from PIL import Image

from agent.report.length_plot import draw_lengths, lengths_in_words
from shared.inspections import LengthHistogram

CUT = LengthHistogram(width=64, kept=[3, 9, 2], cut=[0, 0, 1], lost=[0, 0, 1], max_length=128, saves_all=400)
WHOLE = LengthHistogram(width=1, kept=[0, 10], cut=[0, 0], lost=[0, 0], max_length=2048, saves_all=1)


@pytest.mark.parametrize("lengths", [CUT, WHOLE], ids=["cut", "whole"])
def test_the_lengths_are_drawn_for_a_phone(lengths: LengthHistogram) -> None:
    image = Image.open(io.BytesIO(draw_lengths(lengths, title="a-name-that-is-longer-than-a-title-may-be.jsonl")))
    assert (image.format, image.size) == ("PNG", (1200, 900))


def test_the_picture_is_told_in_words() -> None:
    assert lengths_in_words(CUT) == (
        "Row lengths. 14 rows are kept whole, 1 lose the end of an answer and 1 a whole answer at 128 tokens; "
        "400 tokens would keep all."
    )
