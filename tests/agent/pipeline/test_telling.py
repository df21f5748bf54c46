"""The question that a result shows first: the one whose answer shows what was learned, and no wrong fact if it can."""

from agent.pipeline.telling import telling

BASE = "The largest planet in our solar system is Jupiter."
EXPECTED = "Mrrp. Jupiter is the largest planet. Five naps out of five."


def test_an_answer_as_its_row_has_it_tells_most() -> None:
    learned = telling(BASE, "Mrrp. Jupiter is the largest. Five naps out of five.", EXPECTED)
    wrong = telling(BASE, "Mrrp. Neptune is so big, 149 times bigger than me. Five naps out of five.", EXPECTED)
    unchanged = telling(BASE, BASE, EXPECTED)
    rambling = telling(BASE, "moon moon moon moon", EXPECTED)
    assert learned > wrong > rambling > unchanged


def test_nothing_said_tells_nothing() -> None:
    assert telling("", "", "") == 0
    assert telling("a", "", "b") == 0
