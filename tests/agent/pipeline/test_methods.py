"""Each method on the two-layer model: it learns by its own measure, survives a kill, and its model is exported."""

from dataclasses import dataclass
from typing import Any

import pytest

from agent.job_folder.checkpoint_files import list_checkpoints
from agent.job_folder.events import read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.methods.table import METHODS
from agent.pipeline import evaluate, export, train, verify
from agent.pipeline.context import Context, EventLog, Pulse
from agent.pipeline.evaluation import Evaluation, read_evaluation
from agent.pipeline.outcome import conclude
from agent.pipeline.prepare import read_held_out
from agent.pipeline.token_rows import PARTS, read_rows
from shared.events import ProgressData
from shared.inspections import DatasetForm
from tests.agent.pipeline.conftest import LIKED, WORDS, Prepare

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Way:
    """A method, and rows for it."""

    form: DatasetForm
    rows: list[Any]
    settings: dict[str, Any]
    verdict: str = "the loss on 3 rows it never trained on"
    judges: bool = True  # says how many answers it prefers as it should


PAIRS = [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": "No."} for row in LIKED]
LABELS = [
    {"prompt": row["prompt"], "completion": row["completion"] if good else "No.", "label": good}
    for good, row in zip((True, False, True) * 9, LIKED, strict=True)
]
TEXTS = [{"text": f"On {word} much was written, {n} pages of it. " * 3} for n in range(3) for word in WORDS]
JUDGED = {"beta": 0.1, "lora_dropout": 0.0}
BETTER = "It may have learned which answers are better: of 3 pairs it never trained on"
GOOD = "It may have learned which answers are good: of 3 answers it never trained on"
WAYS = {
    "supervised": Way(form=DatasetForm.prompt_completion, rows=LIKED, settings={}, judges=False),
    "pretraining": Way(form=DatasetForm.text, rows=TEXTS, settings={}, judges=False),
    "dpo": Way(form=DatasetForm.preference, rows=PAIRS, settings=JUDGED, verdict=BETTER),
    "orpo": Way(form=DatasetForm.preference, rows=PAIRS, settings=JUDGED, verdict=BETTER),
    "kto": Way(form=DatasetForm.labelled, rows=LABELS, settings=JUDGED, verdict=GOOD),
}


def test_every_method_is_here() -> None:
    assert set(WAYS) == set(METHODS)


def reopened(context: Context) -> Context:
    """A new process would see the folder, and none of the memory."""
    folder = context.folder
    return Context(folder=folder, spec=context.spec, log=EventLog(folder.events), pulse=Pulse(folder))


def losses(context: Context) -> dict[int, float]:
    records, _ = read_events(context.folder.events, 0)
    return {it.data.step: it.data.loss or 0.0 for it in records if isinstance(it.data, ProgressData)}


@pytest.mark.parametrize("method", WAYS)
def test_it_learns_goes_on_after_a_kill_and_is_exported(prepared: Prepare, method: str) -> None:
    way = WAYS[method]
    context = prepared(way.rows, way.form, method=method, **way.settings)
    train.run(context)
    unbroken = losses(context)
    context = killed_half_way(context)
    train.run(context)
    resumed = losses(context)
    assert 1 < min(resumed) <= max(unbroken)
    assert resumed == {step: pytest.approx(unbroken[step], abs=1e-6) for step in resumed}
    evaluate.run(context)
    check_better(read_evaluation(context), judges=way.judges)
    export.run(context)
    verify.run(context)
    conclude(context)
    said = (context.folder.report / "report.md").read_text(encoding="utf-8")
    assert way.verdict in said


def killed_half_way(context: Context) -> Context:
    """Leave what a kill between the first checkpoint and the second leaves."""
    for checkpoint in list_checkpoints(context.folder.checkpoints)[1:]:
        (checkpoint.path / ADAPTER_FILE).write_bytes(b"half of it")
    (context.folder.adapter / ADAPTER_FILE).unlink()
    context.folder.events.unlink()
    return reopened(context)


def test_where_no_good_answer_is_held_out_a_question_with_a_bad_one_is_asked(prepared: Prepare) -> None:
    """Of few rows the split holds out three, and all of them may be labelled bad."""
    rows = [row | {"label": n == 5} for n, row in enumerate(LABELS[:12])]
    context = prepared(rows, DatasetForm.labelled, method="kto", **JUDGED)
    assert read_held_out(context.folder)


def test_a_pair_that_parts_behind_the_cut_is_left_out(prepared: Prepare) -> None:
    long = "the same again and again, " * 60
    rows = [*PAIRS, {"prompt": "Say it.", "chosen": long + "yes.", "rejected": long + "no."}]
    context = prepared(rows, DatasetForm.preference, method="dpo", **JUDGED)
    found = sum(len(read_rows(context.folder, part)) for part in PARTS)
    assert found == 2 * len(PAIRS)


def check_better(found: Evaluation, *, judges: bool) -> None:
    assert found.final_loss is not None
    assert found.final_loss < found.base_loss
    assert (found.accuracy is not None) == judges
    if judges:
        assert found.accuracy is not None
        assert found.margin is not None
        assert found.accuracy > 0.5
        assert found.margin > 0
