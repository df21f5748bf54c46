"""However a training ends: a last word, and what was trained in the person's hands."""

import errno
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from agent.errors import AgentError
from agent.job_folder.events import has_ended, read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline import evaluate, export, train, verify
from agent.pipeline.__main__ import main, run_guarded
from agent.pipeline.context import Cancelled, Context, EventLog
from agent.pipeline.load import loaded_model
from agent.pipeline.stages import STAGES
from agent.pipeline.verified import read_verified
from shared.errors import ErrorCode
from shared.events import AdviceData, ArtifactData, EventData, EventRecord, ProgressData, StateData
from shared.jobs import JobStatus, Stage
from tests.kernel_faults import CAN_REFUSE, in_child, refuse

pytestmark = pytest.mark.slow
LOAD_AND_TRAIN = tuple(step for step in STAGES if step.stage in (Stage.load, Stage.train))


class HookedLog(EventLog):
    """An event log that does something once a step was reported."""

    def __init__(self, path: Path, step: int, then: Callable[[], None]) -> None:
        super().__init__(path)
        self._step, self._then = step, then

    def write(self, message: str, data: EventData, **kwargs: object) -> None:
        super().write(message, data, **kwargs)  # type: ignore[arg-type]
        if isinstance(data, ProgressData) and data.step == self._step:
            self._then()


def run(context: Context) -> list[EventRecord]:
    run_guarded(context, LOAD_AND_TRAIN, last=False)
    return read_events(context.folder.events, 0)[0]


def handed_out(context: Context, records: list[EventRecord]) -> set[str]:
    files = [record.data for record in records if isinstance(record.data, ArtifactData)]
    assert len(files) == 1
    with zipfile.ZipFile(context.folder.path / files[0].path) as archive:
        return set(archive.namelist())


def last_state(records: list[EventRecord]) -> StateData:
    assert isinstance(records[-1].data, StateData)
    return records[-1].data


def test_code_that_was_replaced_is_imported_by_a_new_process(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.pipeline.__main__.code_on_disk", lambda: "newer")
    assert run(context) == []
    assert not context.folder.stage_marker(Stage.load).exists()


def test_a_cancel_before_the_first_checkpoint_hands_out_the_adapter(context: Context) -> None:
    context.log = HookedLog(context.folder.events, 2, context.folder.cancel_request.touch)
    records = run(context)
    assert last_state(records).status is JobStatus.cancelled
    assert "what was trained is kept" in records[-1].message
    assert handed_out(context, records) == {ADAPTER_FILE, "adapter_config.json"}
    assert not list(context.folder.checkpoints.glob("step-*"))


def test_a_cancel_before_the_first_step_says_that_nothing_was_trained(context: Context) -> None:
    context.folder.cancel_request.touch()
    records = run(context)
    assert records[-1].message == "Cancelled before anything was trained."


def test_a_diverged_training_hands_out_its_last_good_adapter_and_gives_advice(context: Context) -> None:
    def poison() -> None:
        assert context.model is not None
        with torch.no_grad():
            next(p for p in context.model.peft.parameters() if p.requires_grad).fill_(float("nan"))

    context.log = HookedLog(context.folder.events, 4, poison)
    records = run(context)
    error = last_state(records).error
    assert error is not None
    assert error.code is ErrorCode.training_diverged
    assert [r.data.advice.rule for r in records if isinstance(r.data, AdviceData)][:1] == ["nan"]
    assert ADAPTER_FILE in handed_out(context, records)


@pytest.mark.process
@pytest.mark.skipif(not CAN_REFUSE, reason="needs Linux's system call filters")
def test_a_disk_that_fills_up_pauses_the_job_in_words(context: Context) -> None:
    def play() -> int:
        torch.set_num_threads(1)
        refuse(errno.ENOSPC, "write", "pwrite64", "writev", from_bytes=4096)  # an event still finds room
        run_guarded(context, LOAD_AND_TRAIN, last=False)
        return 0

    assert in_child(play) == 0
    records = read_events(context.folder.events, 0)[0]
    assert last_state(records).status is JobStatus.paused
    assert "did not fit" in records[-1].message
    assert "Free some space, then resume the job." in records[-1].message


def test_memory_that_runs_out_is_said_with_settings_that_need_less(context: Context) -> None:
    def take_a_petabyte() -> None:
        torch.empty(1 << 50)

    context.log = HookedLog(context.folder.events, 4, take_a_petabyte)
    records = run(context)
    error = last_state(records).error
    assert error is not None
    assert (error.code, error.message) == (
        ErrorCode.insufficient_memory,
        "The memory of the GPU machine was not enough for this job.",
    )
    (advice,) = [r.data.advice for r in records if isinstance(r.data, AdviceData)]
    assert advice.rule == "out-of-memory"
    assert advice.change["per_device_train_batch_size"] < context.spec.settings.per_device_train_batch_size


def test_a_broken_gpu_leaves_the_job_to_a_new_process(context: Context) -> None:
    def break_gpu() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be reported")

    context.log = HookedLog(context.folder.events, 4, break_gpu)
    with pytest.raises(SystemExit) as left:
        run(context)
    assert left.value.code == 1
    records = read_events(context.folder.events, 0)[0]
    assert not has_ended(context.folder.events)
    assert records[-1].message.startswith("The GPU broke off (CUDA error: an illegal memory access was encountered).")


@pytest.mark.parametrize(("said", "code"), [
    ("CUDA error: out of memory", ErrorCode.insufficient_memory),
    ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", ErrorCode.insufficient_memory),
    ("CUDA error: no kernel image is available for execution on the device", ErrorCode.internal),
])  # fmt: skip
def test_what_a_new_process_would_meet_again_ends_the_job(context: Context, said: str, code: ErrorCode) -> None:
    def fail() -> None:
        raise RuntimeError(said)

    context.log = HookedLog(context.folder.events, 4, fail)
    error = last_state(run(context)).error
    assert error is not None
    assert error.code is code


@pytest.fixture
def as_trainer(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.pipeline.__main__.LOCK_WAIT_S", 0.0)
    monkeypatch.setattr(sys, "argv", ["trainer", str(context.folder.path)])


@pytest.mark.usefixtures("as_trainer")
def test_a_second_trainer_leaves_at_once_and_touches_nothing(context: Context) -> None:
    with FileLock(context.folder.lock), pytest.raises(SystemExit, match="another trainer holds"):
        main()
    assert not context.folder.heartbeat.exists()


@pytest.mark.usefixtures("as_trainer")
def test_a_trainer_that_comes_after_the_end_leaves_at_once(context: Context) -> None:
    context.log.write("Done.", StateData(status=JobStatus.succeeded))
    before = context.folder.events.read_bytes()
    main()
    assert context.folder.events.read_bytes() == before
    assert not context.folder.heartbeat.exists()


@pytest.mark.usefixtures("as_trainer")
def test_a_fetch_child_that_ends_at_once_is_known_for_one(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--fetch"])
    context.folder.stage_marker(Stage.fetch).touch()
    main()
    heartbeat = context.folder.read_heartbeat()
    assert heartbeat is not None
    assert heartbeat.stage is Stage.fetch


def test_a_cancel_is_heard_between_two_tokens_of_an_answer(context: Context) -> None:
    model = loaded_model(context)
    context.folder.cancel_request.touch()
    with pytest.raises(Cancelled):
        model.answer([[1, 2, 3]], adapter=True, max_new_tokens=500, tick=context.tick)


def test_activation_checkpointing_gives_the_same_losses(context: Context) -> None:
    train.run(context)
    stored = [r.data.loss for r in read_events(context.folder.events, 0)[0] if isinstance(r.data, ProgressData)]
    settings = context.spec.settings.model_copy(update={"activation_checkpointing": True})
    for path in (context.folder.events, context.folder.adapter / ADAPTER_FILE):
        path.unlink()
    for path in context.folder.checkpoints.iterdir():
        path.rename(context.folder.path / path.name)
    again = Context(
        folder=context.folder, spec=context.spec.model_copy(update={"settings": settings}), log=context.log,
        pulse=context.pulse,
    )  # fmt: skip
    train.run(again)
    recomputed = [r.data.loss for r in read_events(context.folder.events, 0)[0] if isinstance(r.data, ProgressData)]
    assert recomputed == pytest.approx(stored, abs=1e-4)


@pytest.mark.process
def test_an_export_that_is_not_the_trained_model_fails_the_job(context: Context) -> None:
    train.run(context)
    evaluate.run(context)
    export.run(context)
    damage(context.folder.adapter / ADAPTER_FILE)
    export.export_gguf(context, "nf4")
    with pytest.raises(AgentError, match="answers of the exported model equal") as caught:
        verify.run(context)
    assert caught.value.code is ErrorCode.verification_failed
    assert read_verified(context).verification.second_try


def damage(weights: Path) -> None:
    from safetensors.torch import load_file, save_file

    save_file({name: -3 * tensor for name, tensor in load_file(weights).items()}, weights)
