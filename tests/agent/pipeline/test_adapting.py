"""A training that has too little memory, or diverges, goes on by itself: for real, in a process of its own."""

import subprocess
import sys

import pytest
import torch

from agent.errors import AgentError
from agent.job_folder.events import read_events
from agent.pipeline import __main__ as trainer
from agent.pipeline.context import Context, EventLog
from agent.pipeline.stages import STAGES
from shared.errors import ErrorCode
from shared.events import EventRecord, ProgressData, StageData, StateData
from shared.inspections import DatasetForm
from shared.jobs import Stage
from tests.agent.pipeline.conftest import Prepare
from tests.agent.pipeline.test_endings import HookedLog

pytestmark = pytest.mark.slow
LONG = [{"prompt": f"Count to {n}.", "completion": "one, two, three, four, five, " * 30} for n in range(40)]
TRAIN = tuple(step for step in STAGES if step.stage is Stage.train)


def events(context: Context) -> list[EventRecord]:
    return read_events(context.folder.events, 0)[0]


def warnings(context: Context) -> list[str]:
    said = [record for record in events(context) if record.level == "warn" and isinstance(record.data, StageData)]
    return [record.message for record in said]


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of the address space")
def test_with_too_little_memory_it_takes_fewer_rows_at_a_time_and_learns_the_same(prepared: Prepare) -> None:
    context = prepared(
        LONG, DatasetForm.prompt_completion, batch_size=8, per_device_train_batch_size=8, gradient_accumulation_steps=1,
        max_length=512, n_epochs=1,
    )  # fmt: skip
    for stage in (Stage.fetch, Stage.evaluate, Stage.export, Stage.verify):
        context.folder.stage_marker(stage).touch()  # the training alone
    child = [sys.executable, "-m", "tests.agent.pipeline.short_of_memory", "train", "800", str(context.folder.path)]
    ended = subprocess.run(child, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]
    (said,) = warnings(context)
    assert said.startswith("The memory was not enough to train. From now on: 4 rows at a time in place of 8; it learns")
    assert context.folder.stage_marker(Stage.train).exists()
    spec = context.folder.read_spec()
    assert (spec.revision, spec.settings.per_device_train_batch_size, spec.settings.batch_size) == (1, 4, 8)
    assert (spec.short_memory_mib or 0) > 500


class StartedAfresh(Exception):
    """In place of the end of this process."""


@pytest.fixture
def restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a fresh start be an exception: the test goes on as the new process."""

    def begins(_context: Context, _lock_fd: int) -> None:
        raise StartedAfresh

    monkeypatch.setattr(trainer, "start_afresh", begins)


def spoilt_at(context: Context, step: int) -> Context:
    """Return the job with weights that stop being numbers once a step was reported."""

    def spoil() -> None:
        assert context.model is not None
        with torch.no_grad():
            next(p for p in context.model.peft.parameters() if p.requires_grad).fill_(float("nan"))

    context.log = HookedLog(context.folder.events, step, spoil)
    return context


def again(context: Context, *, spoilt: int | None = None) -> Context:
    folder = context.folder
    reopened = Context(folder=folder, spec=folder.read_spec(), log=EventLog(folder.events), pulse=context.pulse)
    return reopened if spoilt is None else spoilt_at(reopened, spoilt)


@pytest.mark.usefixtures("restarts")
def test_a_training_that_diverges_goes_back_once_and_then_ends_with_advice(context: Context) -> None:
    rate = context.spec.settings.learning_rate
    with pytest.raises(StartedAfresh):
        trainer.run_guarded(spoilt_at(context, 4), TRAIN, last=False, lock_fd=0)
    (said,) = warnings(context)
    assert said.endswith(f"From now on: half the learning rate, {rate / 2:g}. It goes on from step 3.")
    changed = [it.data for it in events(context) if isinstance(it.data, StageData) and it.data.detail]
    assert [it.detail for it in changed] == [f"Half the learning rate, {rate / 2:g} (it had diverged)"]
    resumed = again(context, spoilt=6)
    trainer.run_guarded(resumed, TRAIN, last=False, lock_fd=0)
    rates = [it.data.learning_rate for it in events(context) if isinstance(it.data, ProgressData) and it.data.step == 4]
    assert rates[1] == pytest.approx((rates[0] or 0) / 2)
    last = events(context)[-1].data
    assert isinstance(last, StateData)
    assert last.error is not None
    assert last.error.code is ErrorCode.training_diverged


@pytest.mark.usefixtures("restarts")
def test_where_nothing_is_left_to_give_up_the_end_says_what_was_tried(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(_context: Context) -> None:
        raise MemoryError

    monkeypatch.setattr("agent.pipeline.train.run", too_much)
    tried = 0
    while True:
        try:
            trainer.run_guarded(again(context), TRAIN, last=False, lock_fd=0)
        except StartedAfresh:
            tried += 1
        else:
            break
    assert tried == len(warnings(context)) >= 2
    last = events(context)[-1]
    assert isinstance(last.data, StateData)
    assert last.data.error is not None
    assert last.data.error.code is ErrorCode.insufficient_memory
    assert "It was not enough either with less: 1 row at a time in place of 2" in last.message


@pytest.mark.usefixtures("restarts")
def test_weights_that_prove_broken_after_the_training_are_no_reason_to_train_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finds(_context: Context) -> None:
        raise AgentError("The trained weights are not finite.", code=ErrorCode.training_diverged)

    monkeypatch.setattr("agent.pipeline.evaluate.run", finds)
    evaluate = tuple(step for step in STAGES if step.stage is Stage.evaluate)
    trainer.run_guarded(context, evaluate, last=False, lock_fd=0)
    assert context.folder.read_spec().revision == 0


def test_an_error_of_another_kind_changes_nothing(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_context: Context) -> None:
        raise AgentError("No.", code=ErrorCode.setting_invalid)

    monkeypatch.setattr("agent.pipeline.train.run", fails)
    trainer.run_guarded(context, TRAIN, last=False, lock_fd=0)
    assert context.folder.read_spec().revision == 0
