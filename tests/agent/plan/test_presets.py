import pytest

from shared.plans import PlanRequest, Preset
from tests.agent.plan.cases import SMALLEST, card_of, findings, machine, planned

CARD = card_of(SMALLEST.shape, name=SMALLEST.id)


@pytest.mark.parametrize("rows", [30, 104, 1000, 20_000])
def test_a_more_thorough_preset_never_learns_less(rows: int) -> None:
    quick, balanced, thorough = (
        planned(PlanRequest(model=SMALLEST.id, training_file="file-1", preset=preset), CARD, findings(rows), machine())
        for preset in Preset
    )
    for less, more in ((quick, balanced), (balanced, thorough)):
        assert less.settings.n_epochs <= more.settings.n_epochs
        assert less.steps <= more.steps
        assert less.settings.r < more.settings.r
        assert less.settings.early_stopping_patience < more.settings.early_stopping_patience
        assert less.minutes.high < more.minutes.high


def test_the_preset_and_its_reason_come_first_and_what_was_asked_for_still_counts() -> None:
    request = PlanRequest.model_validate(
        {
            "model": SMALLEST.id,
            "training_file": "file-1",
            "preset": "quick_look",
            "method": {"supervised": {"hyperparameters": {"n_epochs": 7, "r": 4}}},
        }
    )
    plan = planned(request, CARD, findings(), machine())
    assert (plan.preset, plan.reasons[0].name, plan.reasons[0].value) == (Preset.quick_look, "preset", "quick look")
    assert "shows in minutes" in plan.reasons[0].reason
    assert (plan.settings.n_epochs, plan.settings.r, plan.settings.lora_alpha) == (7, 4, 8)
