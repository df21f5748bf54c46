"""Which method is meant, and the rows it takes."""

import pytest

from agent.errors import AgentError
from agent.methods.record import Metric
from agent.methods.supervised import SUPERVISED
from agent.methods.table import METHODS, method_for, suggested_for
from shared.hyperparameters import Method
from shared.inspections import DatasetForm


def test_what_may_be_asked_for_is_what_there_is() -> None:
    assert Method.model_json_schema()["properties"]["type"]["enum"] == list(METHODS)


def test_rows_that_a_method_cannot_learn_from_are_refused_with_those_it_can() -> None:
    assert method_for("supervised", DatasetForm.text) is SUPERVISED
    with pytest.raises(AgentError, match=r"dpo does not learn from rows of the form text\. It takes: preference\."):
        method_for("dpo", DatasetForm.text)


def test_what_rows_are_made_for_is_suggested_where_there_are_enough_of_them() -> None:
    assert suggested_for(DatasetForm.preference, 40) == "dpo"
    assert suggested_for(DatasetForm.labelled, 40) == "kto"
    assert suggested_for(DatasetForm.text, 0) == "pretraining"
    assert suggested_for(DatasetForm.messages, 0) == "supervised"
    assert suggested_for(DatasetForm.preference, 3) == "supervised"


def test_better_is_lower_or_higher_and_never_nan() -> None:
    loss, reward = Metric(name="loss", lower_is_better=True), Metric(name="reward", lower_is_better=False)
    assert loss.improved(1.0, loss.worst)
    assert not loss.improved(2.0, 1.0)
    assert reward.improved(-5.0, reward.worst)
    assert not reward.improved(1.0, 2.0)
    assert not loss.improved(float("nan"), loss.worst)
    assert not reward.improved(float("nan"), reward.worst)
