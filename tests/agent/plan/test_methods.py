"""What a method changes in a plan: settings, memory, time, and what is said of it."""

from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings
from agent.errors import AgentError
from shared.hyperparameters import Method, MethodType
from shared.inspections import DatasetForm
from shared.plans import Plan, PlanRequest
from tests.agent.plan.cases import findings, machine, planned

FORMS: dict[MethodType, DatasetForm] = {
    "supervised": DatasetForm.preference,
    "dpo": DatasetForm.preference,
    "orpo": DatasetForm.preference,
    "kto": DatasetForm.labelled,
    "pretraining": DatasetForm.text,
}


def rows_of(form: DatasetForm, rows: int) -> Findings:
    """Return what an inspection finds in rows of a form, of which half the labelled ones are bad."""
    judged = {DatasetForm.preference: rows, DatasetForm.labelled: 2 * rows}.get(form, 0)
    worse = 1.5 if form is DatasetForm.preference else 0.0
    return findings(rows).model_copy(update={"form": form, "judged": judged, "worse_share": worse})


def plan(card: BaseModelCard, method: MethodType, *, rows: int = 200, **hyperparameters: Any) -> Plan:
    asked = Method.model_validate({"type": method, method: {"hyperparameters": hyperparameters}})
    request = PlanRequest(model=card.name, training_file="file-1", method=asked)
    return planned(request, card, rows_of(FORMS[method], rows), machine())


@pytest.mark.parametrize("method", FORMS)
def test_every_method_has_a_plan_that_says_how_it_learns_and_how_it_could(
    smollm2_card: BaseModelCard, method: MethodType
) -> None:
    made = plan(smollm2_card, method)
    assert made.method.type == method
    assert method in {it.type for it in made.methods}
    assert (made.settings.beta is not None) == (method in {"dpo", "orpo", "kto"})
    assert {reason.name for reason in made.reasons} >= {"learning_rate", "n_epochs"}


def test_comparing_answers_goes_slowly_without_dropout_and_not_often(smollm2_card: BaseModelCard) -> None:
    usual, dpo = plan(smollm2_card, "supervised").settings, plan(smollm2_card, "dpo").settings
    assert dpo.learning_rate == pytest.approx(usual.learning_rate / 6)
    assert (usual.lora_dropout > 0, dpo.lora_dropout, dpo.beta) == (True, 0, 0.1)
    assert dpo.n_epochs <= 3


def test_pairs_take_the_memory_and_the_time_of_both_talks(smollm2_card: BaseModelCard) -> None:
    usual = plan(smollm2_card, "supervised", n_epochs=1, batch_size=4)
    dpo = plan(smollm2_card, "dpo", n_epochs=1, batch_size=4)
    assert dpo.train_rows == usual.train_rows
    assert dpo.minutes.low > 2 * usual.minutes.low  # 2.5 times the tokens, and once through all of them before
    assert dpo.settings.per_device_train_batch_size <= usual.settings.per_device_train_batch_size


def test_bad_answers_are_rows_where_they_are_compared(smollm2_card: BaseModelCard) -> None:
    made = plan(smollm2_card, "kto", rows=100)
    assert made.train_rows + made.validation_rows + made.test_rows == 200


def test_a_number_of_pairs_is_called_few_once(smollm2_card: BaseModelCard) -> None:
    few = "200 pairs are few for that: 500 and more hold better."
    assert few in plan(smollm2_card, "dpo").notes
    assert not any("few for that" in note for note in plan(smollm2_card, "dpo", rows=600).notes)
    assert not any("few for that" in note for note in plan(smollm2_card, "dpo", rows=40).notes)
    left = "Only the better answers are learned, and what is bad is left out."
    assert left in plan(smollm2_card, "supervised").notes


def test_texts_are_offered_one_way(smollm2_card: BaseModelCard) -> None:
    assert [it.type for it in plan(smollm2_card, "pretraining").methods] == ["pretraining"]


def test_what_cannot_be_is_refused_with_what_can(smollm2_card: BaseModelCard) -> None:
    with pytest.raises(AgentError, match=r"lora_dropout is 0\.1, and this method compares the model with itself"):
        plan(smollm2_card, "dpo", lora_dropout=0.1)
    request = PlanRequest(model=smollm2_card.name, training_file="file-1", method=Method(type="kto"))
    with pytest.raises(AgentError, match=r"Only 3 rows say which answer is better or good"):
        planned(request, smollm2_card, rows_of(DatasetForm.labelled, 9).model_copy(update={"judged": 3}), machine())
