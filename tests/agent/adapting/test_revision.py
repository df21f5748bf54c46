"""A job's next revision: what it says, what it clears away, and what it leaves."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from agent.adapting.revision import go_back, step_down
from agent.job_folder.checkpoint_files import MANIFEST, list_checkpoints
from agent.job_folder.durable import file_sha256
from agent.job_folder.folder import ADAPTER_FILE, JobFolder
from shared.jobs import Stage
from tests.agent.pipeline.finished import SPEC

BEGAN = 1_800_000_000
LATER = BEGAN + 12 * 60


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """A job in training, with checkpoints at steps 10 and 20 and what an untrained model said of its rows."""
    folder = JobFolder(path=tmp_path / "job")
    settings = SPEC.settings.model_copy(
        update={"batch_size": 8, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4, "r": 8}
    )
    folder.create(SPEC.model_copy(update={"settings": settings}))
    folder.stage_marker(Stage.prepare).touch()
    (folder.path / "rows").mkdir()
    (folder.path / "rows" / "reference-train.npy").touch()
    (folder.adapter / ADAPTER_FILE).touch()
    for step in (10, 20):
        checkpoint = folder.checkpoints / f"step-{step}"
        checkpoint.mkdir()
        weigh(checkpoint, [1, 1])
    for path in (folder.spec, folder.stage_marker(Stage.prepare)):
        os.utime(path, (BEGAN, BEGAN))
    return folder


def weigh(checkpoint: Path, weights: list[float]) -> None:
    """Write a checkpoint of these weights, whole."""
    save_file({"lora": np.array(weights, dtype=np.float32)}, checkpoint / ADAPTER_FILE)
    (checkpoint / "adapter_config.json").write_text("{}")
    hashes = {path.name: file_sha256(path) for path in checkpoint.iterdir() if path.name != MANIFEST}
    (checkpoint / MANIFEST).write_text(json.dumps(hashes))


def down(folder: JobFolder, **more: object) -> str:
    adapted = step_down(folder, Stage.train, held_mib=5000, rows=100, clock=lambda: LATER, **more)  # type: ignore[arg-type]
    assert adapted is not None
    return adapted.message


def test_the_run_goes_on_where_it_was_and_the_old_spec_stays(folder: JobFolder) -> None:
    said = down(folder)
    assert said == (
        "The memory was not enough to train. From now on: 1 row at a time in place of 2; it learns the same, and "
        "takes longer. It goes on from step 20."
    )
    spec = folder.read_spec()
    assert (spec.revision, spec.settings.per_device_train_batch_size, spec.settings.batch_size) == (1, 1, 8)
    assert (spec.adapted, spec.short_memory_mib) == (
        ["1 row at a time in place of 2; it learns the same, and takes longer"],
        5000,
    )
    assert sorted(path.name for path in folder.path.glob("spec*.json")) == ["spec-1.json", "spec.json"]
    assert [it.step for it in list_checkpoints(folder.checkpoints)] == [10, 20]


def test_what_no_longer_fits_is_cleared_away_and_the_minutes_are_said(folder: JobFolder) -> None:
    down(folder)
    down(folder)
    assert "once more as it was" in down(folder)
    os.utime(folder.spec, (BEGAN, BEGAN))
    said = down(folder)
    assert "rows are cut at" in said
    assert said.endswith("It begins again; 12 minutes are lost.")
    assert list_checkpoints(folder.checkpoints) == []
    assert not (folder.adapter / ADAPTER_FILE).exists()
    assert not folder.stage_marker(Stage.prepare).exists()
    assert not (folder.path / "rows").exists()
    assert (folder.read_spec().revision, folder.read_spec().began_again_at) == (4, LATER)
    assert (folder.export / "toast-adapter.zip").exists(), "what was trained until then is handed out"


def test_a_rank_that_is_lowered_needs_no_other_rows(folder: JobFolder) -> None:
    for _rung in range(3):
        down(folder)
    said = down(folder, longer_than=lambda _length: 90)
    assert "rank 4 in place of 8" in said
    assert folder.stage_marker(Stage.prepare).exists()
    assert not (folder.path / "rows" / "reference-train.npy").exists()


def test_at_the_floor_nothing_is_written(folder: JobFolder) -> None:
    assert step_down(folder, Stage.export) is None
    assert folder.read_spec().revision == 0


def test_a_training_that_diverged_goes_back_to_finite_weights_at_half_the_rate_and_once(folder: JobFolder) -> None:
    weigh(folder.checkpoints / "step-20", [1, np.nan])
    rate = folder.read_spec().settings.learning_rate
    adapted = go_back(folder)
    assert adapted is not None
    assert adapted.message == (
        f"The loss, or its gradients, stopped being a number. From now on: half the learning rate, {rate / 2:g}. "
        "It goes on from step 10."
    )
    assert folder.read_spec().settings.learning_rate == rate / 2
    assert [it.step for it in list_checkpoints(folder.checkpoints)] == [10]
    assert go_back(folder) is None


def test_where_no_weights_are_finite_it_begins_again(folder: JobFolder) -> None:
    for checkpoint in list_checkpoints(folder.checkpoints):
        (checkpoint.path / ADAPTER_FILE).write_bytes(b"half of it")
    adapted = go_back(folder, clock=lambda: LATER)
    assert adapted is not None
    assert adapted.starts_over
    assert adapted.message.endswith("It begins again; 12 minutes are lost.")
