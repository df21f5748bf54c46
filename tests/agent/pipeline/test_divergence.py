import math

import pytest

from agent.errors import AgentError
from agent.pipeline.divergence import Divergence

NAN, INF = math.nan, math.inf
GOOD = [(1.0, 0.5)] * 3


def stopped_at(steps: list[tuple[float, float | None]], *, scaled: bool = False) -> int | None:
    """Return the step at which a run of these losses and norms of gradients is stopped."""
    divergence = Divergence(scaled=scaled)
    for step, (loss, norm) in enumerate(steps, start=1):
        try:
            divergence.note(step, loss, norm, 1e-3)
        except AgentError:
            return step
    return None


@pytest.mark.parametrize(
    ("steps", "stops"),
    [
        ([(NAN, 1.0)] * 3, 3),
        ([(1.0, NAN), (1.0, INF), (1.0, NAN)], 3),
        ([(NAN, 1.0), *GOOD, (NAN, 1.0), *GOOD, (NAN, 1.0)], 9),
        ([(NAN, 1.0), *GOOD, *GOOD, (NAN, 1.0), *GOOD, (NAN, 1.0)], None),  # three of eleven
        ([(INF, None), (1.0, None)] * 2, None),
    ],
)
def test_three_bad_steps_of_the_last_ten_end_a_run(steps: list[tuple[float, float | None]], stops: int | None) -> None:
    assert stopped_at(steps) == stops


def test_gradients_that_a_loss_scaler_tries_are_not_counted_and_losses_are() -> None:
    assert stopped_at([(1.0, INF)] * 9, scaled=True) is None
    assert stopped_at([(NAN, INF)] * 3, scaled=True) == 3


def test_how_many_of_how_many_is_said() -> None:
    divergence = Divergence(scaled=False)
    divergence.note(1, NAN, None, 1e-3)
    divergence.note(2, NAN, None, 1e-3)
    divergence.note(3, 1.0, None, 1e-3)
    with pytest.raises(AgentError, match=r"in 3 of the last 4 steps, up to step 4, .*try 0\.0001"):
        divergence.note(4, NAN, None, 1e-3)
