import pytest

from agent.errors import AgentError
from agent.plan.defaults import choose_learning_rate, choose_max_length, choose_schedule, choose_warmup
from shared.hyperparameters import Hyperparameters


@pytest.mark.parametrize(
    ("rows", "batch", "epochs"),
    [
        (1000, 16, 3),  # enough steps as it is
        (110, 8, 3),  # a smaller batch is tried first
        (84, 4, 3),
        (40, 4, 4),  # then more epochs
        (20, 4, 5),  # five at most, however few steps that makes
    ],
)
def test_small_data_lowers_the_batch_first_and_then_raises_epochs(rows: int, batch: int, epochs: int) -> None:
    schedule = choose_schedule(rows, None, None)
    assert (schedule.batch_size, schedule.n_epochs) == (batch, epochs)


def test_what_the_person_set_is_left_alone() -> None:
    schedule = choose_schedule(20, 16, 2.0)
    assert (schedule.batch_size, schedule.n_epochs, schedule.steps) == (16, 2.0, 4)
    assert schedule.reason_batch == schedule.reason_epochs == "as you asked"


@pytest.mark.parametrize(("parameters", "rate"), [(135_000_000, 3e-4), (8_000_000_000, 2e-4), (70_000_000_000, 1e-4)])
def test_larger_models_get_smaller_steps(parameters: int, rate: float) -> None:
    assert choose_learning_rate(Hyperparameters(), parameters)[0] == rate


def test_the_multiplier_scales_the_automatic_rate() -> None:
    assert choose_learning_rate(Hyperparameters(learning_rate_multiplier=0.5), 135_000_000)[0] == pytest.approx(1.5e-4)


@pytest.mark.parametrize("steps", [1, 5, 40, 1000])
def test_warmup_is_at_most_a_tenth_of_the_run(steps: int) -> None:
    warmup, _ = choose_warmup(None, steps)
    assert warmup <= steps / 10


def test_a_warmup_longer_than_the_run_is_refused() -> None:
    with pytest.raises(AgentError, match="warmup_steps is 50, and the whole run has 40"):
        choose_warmup(50, 40)


def test_length_follows_the_data_and_says_when_rows_are_cut() -> None:
    assert choose_max_length(None, 130, 8192) == (192, "the longest row has 130 tokens, so none is cut")
    length, reason = choose_max_length(None, 5000, 8192)
    assert (length, "is cut here" in reason) == (2048, True)
