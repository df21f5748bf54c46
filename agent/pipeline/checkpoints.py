"""Write a checkpoint that is complete or absent: staged, hashed, synced, renamed."""

import errno
import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from agent.checkpoints import COUNTS_FILE, MANIFEST, STAGING, Checkpoint, Counts, remove
from agent.job_folder import file_sha256, replace_file, sync_folder
from agent.pipeline.model import save_peft


class CheckpointError(Exception):
    """A checkpoint could not be written; nothing of it is left."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause).splitlines()[0][:200])
        number = cause.errno if isinstance(cause, OSError) else None
        # torch and safetensors write with their own code, and say it in words
        self.disk_full = number == errno.ENOSPC or "No space left" in str(cause) or "file write failed" in str(cause)


def save_checkpoint(trainer: Any, folder: Path, counts: Counts) -> Checkpoint:
    """Write the trainer's own checkpoint format to folder/step-N, whole or not at all. Raises CheckpointError."""
    step = trainer.state.global_step
    final = folder / f"step-{step}"
    staging = folder / f"{STAGING}{step}"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        save_peft(trainer.model, staging)
        trainer._save_optimizer_and_scheduler(str(staging))  # noqa: SLF001 - its format has no public writer
        trainer._save_rng_state(str(staging))  # noqa: SLF001
        trainer.state.save_to_json(str(staging / "trainer_state.json"))
        (staging / COUNTS_FILE).write_text(counts.model_dump_json(), encoding="utf-8")
        hashes = {path.name: _sync_and_hash(path) for path in sorted(staging.iterdir()) if path.is_file()}
        replace_file(staging / MANIFEST, json.dumps(hashes, indent=2).encode())
        if final.exists():  # a damaged one, that the run came by again
            remove(final)
        staging.rename(final)
        sync_folder(folder)
    except (OSError, RuntimeError, SafetensorError) as cause:
        shutil.rmtree(staging, ignore_errors=True)  # on a full disk its room is needed
        raise CheckpointError(cause) from cause
    return Checkpoint(step=step, path=final)


@dataclass(frozen=True, kw_only=True)
class Dice:
    """The state of every random number generator that a training step draws from."""

    python: Any
    numpy: Any
    cpu: torch.Tensor
    cuda: list[torch.Tensor]

    @classmethod
    def now(cls) -> "Dice":
        """Take the states as they are."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return cls(python=random.getstate(), numpy=np.random.get_state(), cpu=torch.get_rng_state(), cuda=cuda)

    def restore(self) -> None:
        """Put the states back."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)


def _sync_and_hash(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return file_sha256(path)
