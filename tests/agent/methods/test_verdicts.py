"""What is said of a training: never more than its figures hold."""

from dataclasses import replace

import pytest

from agent.methods.measured import Measured
from agent.methods.verdicts import by_chance, learned_choice, learned_labels, learned_odds, learned_rows


def judged(right: int, of: int) -> Measured:
    return Measured(before=0.693, after=0.41, rows=of, accuracy=right / of, accuracy_before=0.0, margin=0.1)


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
        assert told.endswith("the loss went from 0.69 to 0.41.")
        assert f" in {right}" in told


def test_what_odds_say_is_no_change_but_a_state() -> None:
    was_right = replace(judged(18, 20), accuracy_before=0.9)
    told = learned_odds(was_right)
    assert told.startswith("It may have learned which")
    assert "it finds the better answer likelier in 18, before in 18;" in told
    assert learned_odds(replace(was_right, accuracy_before=0.95)).startswith("It did not learn")
    assert "it moved towards the better answer in 18;" in learned_choice(judged(18, 20))


def test_labels_are_counted_like_pairs() -> None:
    assert learned_labels(judged(7, 8)).startswith("It learned which answers are good: of 8 answers")
    assert learned_labels(judged(5, 8)).startswith("It may have learned which answers are good: of 8 answers")
    assert learned_labels(judged(3, 8)).startswith("It did not learn which answers are good: of 8 answers")


def test_where_the_loss_rose_nothing_is_said_to_be_learned() -> None:
    """Of answers that are nine in ten bad, nine in ten move as labelled where all became less likely."""
    risen = Measured(before=0.5, after=0.5, rows=100, accuracy=0.9)
    assert learned_labels(risen).startswith("It did not learn which answers are good")
    assert learned_choice(risen).startswith("It did not learn which answers are better")
    assert learned_odds(risen).startswith("It did not learn which answers are better")


def test_chance_is_a_coin() -> None:
    assert by_chance(0, 3) == 1.0
    assert by_chance(3, 3) == pytest.approx(1 / 8)
    assert by_chance(5, 5) < 0.05 < by_chance(4, 4)
    assert by_chance(540, 1001) == pytest.approx(by_chance(540, 1000), abs=1e-3)


def test_a_loss_that_rose_is_no_success() -> None:
    assert learned_rows(Measured(before=1.0, after=1.2, rows=9)).startswith("It got worse than the base model")
