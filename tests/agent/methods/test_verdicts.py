"""What is said of a training: never more than its figures hold."""

import pytest

from agent.methods.measured import Measured
from agent.methods.verdicts import by_chance, learned_choice, learned_labels, learned_odds, learned_rows


def judged(right: int, of: int) -> Measured:
    return Measured(before=0.693, after=0.41, rows=of, accuracy=right / of, margin=0.1)


@pytest.mark.parametrize(
    ("right", "of", "said"),
    [
        (18, 20, "It learned which answers are better"),
        (5, 5, "It learned which answers are better"),
        (3, 3, "It may have learned which answers are better"),
        (12, 20, "It may have learned which answers are better"),
        (10, 20, "It did not learn which answers are better"),
        (0, 1, "It did not learn which answers are better"),
    ],
)
def test_of_pairs_no_more_is_claimed_than_chance_leaves_open(right: int, of: int, said: str) -> None:
    for verdict in (learned_choice, learned_odds):
        told = verdict(judged(right, of))
        assert told.startswith(f"{said}: of {of} pair")
        assert f"in {right}; the loss went from 0.69 to 0.41." in told


def test_what_odds_say_is_no_change_but_a_state() -> None:
    assert "it finds the better answer likelier in 18;" in learned_odds(judged(18, 20))
    assert "it moved towards the better answer in 18;" in learned_choice(judged(18, 20))


def test_labels_are_counted_like_pairs() -> None:
    assert learned_labels(judged(7, 8)).startswith("It learned which answers are good: of 8 answers")
    assert learned_labels(judged(5, 8)).startswith("It may have learned which answers are good: of 8 answers")
    assert learned_labels(judged(3, 8)).startswith("It did not learn which answers are good: of 8 answers")


def test_chance_is_a_coin() -> None:
    assert by_chance(0, 3) == 1.0
    assert by_chance(3, 3) == pytest.approx(1 / 8)
    assert by_chance(5, 5) < 0.05 < by_chance(4, 4)
    assert by_chance(540, 1001) == pytest.approx(by_chance(540, 1000), abs=1e-3)


def test_a_loss_that_rose_is_no_success() -> None:
    assert learned_rows(Measured(before=1.0, after=1.2, rows=9)).startswith("It got worse than the base model")
