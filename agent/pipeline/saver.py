"""Keeps a training's checkpoints: writes one when it is due, says what could not be written, rotates the rest."""

import contextlib
import shutil
import time
from typing import Any

from agent.job_folder.checkpoint_files import (
    Counts,
    damage,
    list_checkpoints,
    newest_valid,
    read_counts,
    remove,
    rotate,
)
from agent.pipeline.checkpoint_writer import CheckpointError, save_checkpoint
from agent.pipeline.context import Context, DiskFull
from shared.events import CheckpointData, StageData
from shared.jobs import Stage
from shared.language import _


class Saver:
    """One training's checkpoints."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._folder = context.folder.checkpoints
        self._tried_at = time.monotonic()
        self.saved_step = 0  # of the newest checkpoint that this process wrote or began with

    def is_due(self) -> bool:
        """Say whether the last one is so old that a crash would cost too much."""
        return time.monotonic() - self._tried_at > self._context.spec.checkpoint_interval_s

    def save(self, trainer: Any, counts: Counts, *, train_loss: float | None, valid_loss: float | None) -> None:
        """Write a checkpoint. One that cannot be written is said, and the one before it stands. Raises DiskFull."""
        step = trainer.state.global_step
        self._tried_at = time.monotonic()
        try:
            self._write(trainer, counts)
        except CheckpointError as error:
            self._say_unsaved(step, error)
            return
        self.saved_step = step
        with contextlib.suppress(OSError):  # an old one that cannot be deleted is tried again with the next
            rotate(self._folder, best_step=counts.best_step)
        best = counts.best_step == step
        data = CheckpointData(step=step, train_loss=train_loss, valid_loss=valid_loss, best=best)
        self._context.log.write(f"Checkpoint at step {step}.", data)

    def _write(self, trainer: Any, counts: Counts) -> None:
        """Save; on a full disk, once more with all but the best and the newest checkpoint gone."""
        try:
            save_checkpoint(trainer, self._folder, counts)
        except CheckpointError as error:
            if not error.disk_full:
                raise
            for checkpoint in list_checkpoints(self._folder):
                if damage(checkpoint) is not None:
                    remove(checkpoint.path)  # it must not count as the newest, of which one is left
            # The best of those on disk stays: the one to be saved may be better, and fail again.
            found = list_checkpoints(self._folder)
            rotate(self._folder, best_step=read_counts(found[-1]).best_step if found else None, keep_newest=1)
            save_checkpoint(trainer, self._folder, counts)

    def _say_unsaved(self, step: int, error: CheckpointError) -> None:
        newest = newest_valid(self._folder)
        stands = _("the one at step {step} stands", step=newest.step) if newest else _("there is no earlier one")
        if error.disk_full:
            free_mib = shutil.disk_usage(self._folder).free >> 20
            raise DiskFull(
                _(
                    "The disk of the GPU machine is full: the checkpoint at step {step} did not fit into "
                    "{free_mib} MiB; {stands}. Free some space, then resume the job.",
                    step=step,
                    free_mib=free_mib,
                    stands=stands,
                )
            ) from error
        self._context.log.write(
            f"The checkpoint at step {step} could not be written ({error}); {stands}. Training goes on.",
            StageData(stage=Stage.train, done=False),
            level="warn",
        )
