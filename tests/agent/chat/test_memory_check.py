"""When a model may be loaded, and what it gets."""

from dataclasses import replace

import pytest

from agent.chat.memory_check import ModelShare, find_room, refuse_while_starting
from agent.errors import AgentError
from agent.machine.gpu import Machine
from agent.scheduling.task import Training
from agent.store.tuned_models import TunedModel
from shared.jobs import Stage
from tests.agent.running_agent import MACHINE

MODEL = TunedModel(name="toast:v1", job_id="ftjob-1", number=1, context_length=8192, gguf="toast.gguf")
TRAINS = Training(number=2, waits=False, stage=Stage.train, trained_at=100, still_needs_mib=400)
GPU = replace(MACHINE, device="cuda", memory_free_mib=8000, gpu="0")


def room(machine: Machine, *, training: Training | None = None, ram_free_mib: int = 8000) -> ModelShare:
    return find_room(
        MODEL, gguf_bytes=1000 << 20, machine=machine, ram_free_mib=ram_free_mib, threads=8, training=training
    )


def test_a_model_gets_the_gpu_only_while_nothing_trains() -> None:
    assert room(GPU) == ModelShare(threads=8, on_gpu=True)
    assert room(GPU, training=TRAINS) == ModelShare(threads=2, on_gpu=False)
    assert room(replace(GPU, memory_free_mib=1900)) == ModelShare(threads=8, on_gpu=False)  # no room for it there
    assert room(MACHINE) == ModelShare(threads=8, on_gpu=False)


def test_what_a_training_may_still_need_is_left_to_it() -> None:
    needed = 1150 + 320 + 512
    assert room(MACHINE, ram_free_mib=needed)
    with pytest.raises(AgentError, match=r"takes about 1470 MiB of memory, and 1070 MiB can be used now"):
        room(MACHINE, ram_free_mib=needed, training=TRAINS)
    assert room(MACHINE, ram_free_mib=needed + 400, training=TRAINS)


@pytest.mark.parametrize(
    ("training", "starting"),
    [
        (None, False),
        (replace(TRAINS, waits=True, stage=None, trained_at=None), True),
        (replace(TRAINS, stage=None, trained_at=None), True),
        (replace(TRAINS, stage=Stage.load, trained_at=None), True),
        (replace(TRAINS, trained_at=None), True),  # before its first step
        (TRAINS, False),
        (replace(TRAINS, trained_at=49), True),  # from before it was paused: it is being loaded once more
        (replace(TRAINS, stage=Stage.evaluate), False),
    ],
)
def test_nothing_is_loaded_until_a_training_has_made_a_step(training: Training | None, starting: bool) -> None:
    if not starting:
        refuse_while_starting(training, made_way_at=50.5, now=51)
        return
    with pytest.raises(AgentError, match="Job #2 is starting and needs the memory"):
        refuse_while_starting(training, made_way_at=50.5, now=51)


def test_a_clock_that_was_set_back_silences_no_model_for_an_hour() -> None:
    refuse_while_starting(replace(TRAINS, trained_at=49), made_way_at=3650.5, now=51)
