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

from agent.job_folder.checkpoint_files import COUNTS_FILE, MANIFEST, STAGING, Checkpoint, Counts, remove
from agent.job_folder.durable import file_sha256, replace_file, sync_folder
from agent.pipeline.model import save_peft

FULL = {errno.ENOSPC, errno.EDQUOT}
PROBE_BYTES = 1 << 20


class CheckpointError(Exception):
    """A checkpoint could not be written; nothing of it is left."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause).splitlines()[0][:200])
        number = cause.errno if isinstance(cause, OSError) else None
        self.disk_full = number in FULL or "No space left" in str(cause)  # safetensors says it in words


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
    except (OSError, RuntimeError, SafetensorError) as error:
        cause = _reason(error, staging)
        shutil.rmtree(staging, ignore_errors=True)  # on a full disk its room is needed
        raise CheckpointError(cause) from cause
    return Checkpoint(step=step, path=final)


@dataclass(frozen=True, kw_only=True)
class RngState:
    """The state of every random number generator that a training step draws from."""

    python: Any
    numpy: Any
    cpu: torch.Tensor
    cuda: list[torch.Tensor]

    @classmethod
    def now(cls) -> "RngState":
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


def _reason(error: Exception, folder: Path) -> Exception:
    """Return why a write failed. torch says no more than how far it came, so a write of our own asks the disk."""
    if not isinstance(error, RuntimeError):
        return error
    try:
        with (folder / "probe").open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as reason:
        return reason
    return error
