import pytest

from agent.plan.duration import MeasuredRun, estimate_minutes
from shared.plans import Range

H200 = "NVIDIA H200"
SMOLLM2, LLAMA_8B = (134_515_008, 30), (8_030_261_248, 32)


def minutes(
    model: tuple[int, int], *, tokens: float, batches: float, measured: list[MeasuredRun] | None = None
) -> Range:
    parameters, layers = model
    return estimate_minutes(
        parameters=parameters, layers=layers, tokens=tokens, evaluated_tokens=0, batches=batches, evaluated_batches=0,
        device="cuda", device_name=H200, cores=16, measured=measured or [],
    )  # fmt: skip


def test_a_small_model_on_a_gpu_takes_as_long_as_it_is_told_what_to_do() -> None:
    """An H200 took 31 s for the demo's 84 batches of four rows, 26,900 tokens; here, a hundred times as many."""
    known = 100 * 31 / 60
    guessed = minutes(SMOLLM2, tokens=2_690_000, batches=8400)
    assert guessed.low < known < guessed.high < 3 * known


def test_a_large_model_takes_as_long_as_it_computes() -> None:
    few, many = (minutes(LLAMA_8B, tokens=10_000_000, batches=batches) for batches in (2_000, 10_000))
    assert few.low == pytest.approx(many.low)


def test_what_this_machine_has_measured_says_it_all() -> None:
    run = MeasuredRun(parameters=SMOLLM2[0], device=H200, tokens_per_s=854)
    known = minutes(SMOLLM2, tokens=2_690_000, batches=8400, measured=[run])
    assert known.low < 2_690_000 / 854 / 60 < known.high
