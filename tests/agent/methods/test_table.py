"""Which method is meant, and the rows it takes."""

from dataclasses import replace

import pytest

from agent.errors import AgentError
from agent.methods.record import Metric
from agent.methods.supervised import SUPERVISED
from agent.methods.table import METHODS, method_for
from shared.hyperparameters import Method
from shared.inspections import DatasetForm


def test_what_may_be_asked_for_is_what_there_is() -> None:
    assert Method.model_json_schema()["properties"]["type"]["const"] == "supervised"
    assert set(METHODS) == {"supervised"}


def test_rows_that_a_method_cannot_learn_from_are_refused_with_those_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert method_for("supervised", DatasetForm.text) is SUPERVISED
    only_pairs = replace(SUPERVISED, type="pairs", forms=frozenset({DatasetForm.preference}))
    monkeypatch.setitem(METHODS, "pairs", only_pairs)
    with pytest.raises(AgentError, match=r"pairs does not learn from rows of the form text\. It takes: preference\."):
        method_for("pairs", DatasetForm.text)


def test_better_is_lower_or_higher_and_never_nan() -> None:
    loss, reward = Metric(name="loss", lower_is_better=True), Metric(name="reward", lower_is_better=False)
    assert loss.improved(1.0, loss.worst)
    assert not loss.improved(2.0, 1.0)
    assert reward.improved(-5.0, reward.worst)
    assert not reward.improved(1.0, 2.0)
    assert not loss.improved(float("nan"), loss.worst)
    assert not reward.improved(float("nan"), reward.worst)
