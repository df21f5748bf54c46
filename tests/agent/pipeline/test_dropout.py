"""Dropout from sixteen bits a number has the distribution of torch's own."""

import pytest
import torch

from agent.pipeline.dropout import SixteenBitDropout

COUNT = 400_001  # not a multiple of four: the last draw uses a part of its bits


def dropped(p: float, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return SixteenBitDropout(p).forward(torch.ones(COUNT))


@pytest.mark.parametrize("p", [0.0, 0.05, 0.1, 0.5])
def test_share_that_is_dropped_is_the_probability_and_the_sum_stays(p: float) -> None:
    out = dropped(p, 1)
    share = float((out == 0).float().mean())
    assert abs(share - p) < 5 * (p * (1 - p) / COUNT) ** 0.5 + 1 / 65536
    assert float(out.mean()) == pytest.approx(1.0, abs=0.01)
    assert float(out.max()) == pytest.approx(1 / (1 - p), rel=1e-4)
    assert len(set(out.tolist())) == (2 if p else 1)


def test_neighbours_are_dropped_independently() -> None:
    gone = (dropped(0.1, 2) == 0).float()
    for apart in range(1, 9):  # within and beyond one draw of 64 bits
        both = float((gone[:-apart] * gone[apart:]).mean())
        assert both == pytest.approx(0.01, abs=0.001)


def test_same_seed_drops_the_same_and_another_seed_does_not() -> None:
    assert torch.equal(dropped(0.1, 3), dropped(0.1, 3))
    assert not torch.equal(dropped(0.1, 3), dropped(0.1, 4))


def test_what_was_dropped_gets_no_gradient() -> None:
    hidden = torch.ones(100, 7, requires_grad=True)
    out = SixteenBitDropout(0.5).forward(hidden)
    torch.autograd.backward(out.sum())
    assert hidden.grad is not None
    assert torch.equal(hidden.grad, out.detach())


def test_evaluation_changes_nothing() -> None:
    hidden = torch.ones(5)
    assert SixteenBitDropout(0.5).eval()(hidden) is hidden
