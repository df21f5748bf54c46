import pytest

from agent.plan.calibration import measured_ratio, memory_correction
from agent.plan.duration import MeasuredRun
from shared.plans import MemoryParts, PlanRequest
from tests.agent.plan.cases import SMALLEST, card_of, findings, machine, planned

PARTS = MemoryParts(
    weights=500, lora=20, gradients=20, optimizer=40, activations=1000, logits=200, fragmentation=100, runtime=400
)
REQUEST = PlanRequest(model=SMALLEST.id, training_file="file-1")
CARD = card_of(SMALLEST.shape, name=SMALLEST.id)


def ran(ratio: float | None, *, family: str = "llama", device: str = "CPU (2 cores)") -> MeasuredRun:
    return MeasuredRun(parameters=1, device=device, tokens_per_s=1.0, family=family, memory_ratio=ratio)


def test_a_measured_run_corrects_the_next_estimate_of_its_family() -> None:
    before = planned(REQUEST, CARD, findings(), machine())
    after = planned(REQUEST, CARD, findings(), machine(), [ran(1.3)])
    assert before.memory is not None
    assert after.memory is not None
    assert after.memory.correction == 1.3
    assert after.memory_mib.high == pytest.approx(1.3 * before.memory_mib.high, rel=0.01)
    assert after.memory.uncorrected == before.memory.uncorrected  # corrections do not pile up


def test_a_correction_may_decide_whether_a_plan_fits() -> None:
    free = machine(free_mib=3000)
    roomy = planned(REQUEST, CARD, findings(), free).settings.per_device_train_batch_size
    tight = planned(REQUEST, CARD, findings(), free, [ran(1.8)]).settings.per_device_train_batch_size
    assert tight < roomy


@pytest.mark.parametrize("run", [ran(2.0, family="qwen2"), ran(2.0, device="NVIDIA H100"), ran(None)])
def test_runs_of_another_family_or_machine_or_without_a_figure_say_nothing(run: MeasuredRun) -> None:
    assert memory_correction(SMALLEST.shape, "CPU (2 cores)", [run]) == 1.0


def test_the_newest_runs_count_and_one_odd_one_does_not() -> None:
    runs = [ran(1.2), ran(1.9), ran(1.1), ran(0.6), ran(0.6), ran(0.6)]
    assert memory_correction(SMALLEST.shape, "CPU (2 cores)", runs) == 1.2


@pytest.mark.parametrize(("ratio", "limited"), [(9.0, 2.0), (0.1, 0.5)])
def test_a_ratio_beyond_belief_is_limited(ratio: float, limited: float) -> None:
    assert memory_correction(SMALLEST.shape, "CPU (2 cores)", [ran(ratio)]) == limited


def test_the_gpus_context_is_added_to_what_torch_reserved() -> None:
    assert PARTS.uncorrected == 2280
    assert measured_ratio(PARTS, peak_mib=2280, kind="RAM") == 1.0
    assert measured_ratio(PARTS, peak_mib=1880, kind="GPU") == 1.0
    assert measured_ratio(PARTS, peak_mib=0, kind="GPU") is None
