"""A training that is asked for something while it runs: it hears at the end of a step, and over a restart too."""

from collections.abc import Callable

import pytest

from agent.errors import AgentError
from agent.job_folder.checkpoint_files import list_checkpoints
from agent.job_folder.events import read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.job_folder.steering import finish_wish, rate_wish, steer
from agent.pipeline import train
from agent.pipeline.context import Context, EventLog, Pulse, Stopped
from shared.events import CheckpointData, EvaluationData, EventData, ProgressData, StageData
from shared.jobs import Stage, Steering
from tests.agent.pipeline.test_endings import HookedLog

pytestmark = pytest.mark.slow


def asked(context: Context, what: Steering, *, at: int, then: Callable[[], None] = lambda: None) -> Context:
    """Return a job that is asked for something once a step was reported."""

    def ask() -> None:
        steer(context.folder, what, number=1)
        then()

    context.log = HookedLog(context.folder.events, at, ask)
    return context


def events(context: Context) -> list[EventData]:
    return [record.data for record in read_events(context.folder.events, 0)[0]]


def steps(context: Context) -> list[int]:
    return [data.step for data in events(context) if isinstance(data, ProgressData)]


def said(context: Context) -> list[str]:
    return [data.detail for data in events(context) if isinstance(data, StageData) and data.detail]


def test_it_ends_with_this_step_and_the_best_weights_become_the_model(context: Context) -> None:
    train.run(asked(context, Steering.finish, at=4))
    assert steps(context) == [1, 2, 3, 4]
    assert [data.step for data in events(context) if isinstance(data, EvaluationData)] == [0, 3, 4]
    assert said(context) == ["Ended at step 4, as asked."]
    assert (context.folder.adapter / ADAPTER_FILE).exists()


def test_it_ends_with_the_epoch(context: Context) -> None:
    train.run(asked(context, Steering.finish_epoch, at=2))
    an_epoch = steps(context)[-1]
    assert 4 < an_epoch < 12
    assert said(context) == [f"Ended at step {an_epoch}, as asked."]


def test_one_that_was_broken_off_after_it_had_ended_trains_no_further(context: Context) -> None:
    train.run(asked(context, Steering.finish, at=4))
    (context.folder.adapter / ADAPTER_FILE).unlink()
    again = Context(
        folder=context.folder, spec=context.spec, log=EventLog(context.folder.events), pulse=Pulse(context.folder)
    )
    train.run(again)
    assert steps(context) == [1, 2, 3, 4]
    assert (context.folder.adapter / ADAPTER_FILE).exists()


def test_half_the_rate_holds_from_the_next_step_on_and_over_a_restart(context: Context) -> None:
    rate = context.spec.settings.learning_rate
    with pytest.raises(Stopped):
        train.run(asked(context, Steering.slow_down, at=4, then=context.terminate.set))
    assert rate_wish(context.folder) is None
    spec = context.folder.read_spec()
    assert spec.settings.learning_rate == rate / 2
    assert said(context) == [f"Learning rate {rate / 2:g} in place of {rate:g}, as asked"]
    folder = context.folder
    train.run(Context(folder=folder, spec=spec, log=EventLog(folder.events), pulse=Pulse(folder)))
    rates = {data.step: data.learning_rate or 0 for data in events(context) if isinstance(data, ProgressData)}
    assert rates[4] > rate / 2
    assert all(value <= rate / 2 for step, value in rates.items() if step > 4)


def test_two_taps_halve_it_once(context: Context) -> None:
    for _tap in range(2):
        steer(context.folder, Steering.slow_down, number=1)
    assert rate_wish(context.folder) == context.spec.settings.learning_rate / 2


def test_it_saves_at_once_and_once(context: Context) -> None:
    train.run(asked(context, Steering.checkpoint, at=1))
    saved = [data.step for data in events(context) if isinstance(data, CheckpointData)]
    assert saved[:2] == [1, 3]
    assert not context.folder.checkpoint_request.exists()
    assert list_checkpoints(context.folder.checkpoints)


def test_where_nothing_trains_it_is_refused(context: Context) -> None:
    context.folder.stage_marker(Stage.train).touch()
    with pytest.raises(AgentError, match="Job #1 does not train now"):
        steer(context.folder, Steering.finish, number=1)
    assert finish_wish(context.folder) is None
