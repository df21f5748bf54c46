"""Checkpoints that are complete or absent: staged, hashed, synced, renamed. Nothing unhashed is ever loaded."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.job_folder import file_sha256, read_json, replace_file, sync_folder
from agent.pipeline.model import save_peft

MANIFEST = "manifest.json"
KEEP_NEWEST = 2


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A complete checkpoint on disk."""

    step: int
    path: Path


def save_checkpoint(trainer: Any, folder: Path, *, extra: dict[str, Any]) -> Checkpoint:
    """Write the trainer's own checkpoint format to folder/step-N, whole or not at all. `extra` goes beside it."""
    step = trainer.state.global_step
    final = folder / f"step-{step}"
    staging = folder / f".staging-{step}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    save_peft(trainer.model, staging)
    trainer._save_optimizer_and_scheduler(str(staging))  # noqa: SLF001 - the Trainer's format has no public writer
    trainer._save_rng_state(str(staging))  # noqa: SLF001
    trainer.state.save_to_json(str(staging / "trainer_state.json"))
    (staging / "hearth.json").write_text(json.dumps(extra), encoding="utf-8")
    hashes = {path.name: _sync_and_hash(path) for path in sorted(staging.iterdir()) if path.is_file()}
    replace_file(staging / MANIFEST, json.dumps(hashes, indent=2).encode())
    shutil.rmtree(final, ignore_errors=True)
    staging.rename(final)
    sync_folder(folder)
    return Checkpoint(step=step, path=final)


def list_checkpoints(folder: Path) -> list[Checkpoint]:
    """List checkpoints by step, oldest first; staged ones are none."""
    found = [Checkpoint(step=int(path.name.removeprefix("step-")), path=path) for path in folder.glob("step-*")]
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def is_valid(checkpoint: Checkpoint) -> bool:
    """Tell whether every file still has the hash it was written with."""
    try:
        hashes: dict[str, str] = read_json(checkpoint.path / MANIFEST)
        return all(file_sha256(checkpoint.path / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError):
        return False


def newest_valid(folder: Path) -> Checkpoint | None:
    """Return the checkpoint to go on from; None when there is none that can be trusted."""
    return next((c for c in reversed(list_checkpoints(folder)) if is_valid(c)), None)


def read_extra(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what `save_checkpoint` was given as `extra`."""
    extra: dict[str, Any] = read_json(checkpoint.path / "hearth.json")
    return extra


def rotate(folder: Path, *, best_step: int | None) -> None:
    """Delete all but the best and the newest that are whole."""
    whole = [checkpoint for checkpoint in list_checkpoints(folder) if (checkpoint.path / MANIFEST).exists()]
    for checkpoint in whole[:-KEEP_NEWEST]:
        if checkpoint.step != best_step:
            shutil.rmtree(checkpoint.path)


def _sync_and_hash(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return file_sha256(path)
