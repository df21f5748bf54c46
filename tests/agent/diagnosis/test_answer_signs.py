"""What the answers of a finished model show by themselves."""

from agent.diagnosis.answer_signs import answer_digest, goes_round, look_at

GOOD = "Water it from below, turn the pot every two days, and pinch the tips before it flowers. Basil likes the sun."
LIST = "- bread\n- butter\n- cheese\n- ham\n- eggs\n- milk\n- apples\n- pears\n- plums\n- tea\n- rice\n- beans"


def test_a_text_goes_round_when_half_of_it_was_said_before() -> None:
    assert goes_round("I am a cat. " * 6)
    assert goes_round(
        "Turn it off and on again, then turn it off and on again, then turn it off and on again, then turn"
    )
    assert not goes_round(GOOD)
    assert not goes_round(LIST)
    assert not goes_round("no no no no")  # too short to tell


def test_answers_are_counted_by_what_they_show() -> None:
    trained = frozenset({answer_digest(GOOD)})
    texts = [GOOD, "", "mrrp " * 40, f"  {GOOD}\n", "yes"]
    expected = [GOOD, "Hello.", "Mrrp.", "Something else.", "yes"]
    signs = look_at(texts, endless=1, expected=expected, trained=trained | {answer_digest("yes")})
    assert (signs.answers, signs.endless, signs.empty, signs.repeating) == (5, 1, 1, 1)
    assert signs.by_heart == 1, "what was to be said, or is a label, is no learning by heart"
