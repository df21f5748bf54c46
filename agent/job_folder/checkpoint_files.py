"""A job's checkpoints as they lie on disk: listed, checked by their hashes, rotated; never loaded.

`agent.pipeline.checkpoint_writer` writes them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from agent.job_folder.durable import file_sha256, read_json
from agent.job_folder.folder import ADAPTER_FILE
from shared.language import _
from shared.schema import Response

MANIFEST = "manifest.json"  # file name → SHA-256, written last
STAGING = ".staging-"  # begins the name of one that is being written
COUNTS_FILE = "hearth.json"
KEEP_NEWEST = 2


class Counts(Response):
    """What a resumed training must know again, beside the Trainer's own state."""

    best_loss: float | None
    best_step: int | None
    bad_evaluations: int
    trained_tokens: int


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A complete checkpoint on disk."""

    step: int
    path: Path


def list_checkpoints(folder: Path) -> list[Checkpoint]:
    """List checkpoints by step, oldest first; staged ones are none."""
    found = [
        Checkpoint(step=int(number), path=path)
        for path in folder.glob("step-*")
        if (number := path.name.removeprefix("step-")).isdecimal()
    ]
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def damage(checkpoint: Checkpoint) -> str | None:
    """Say which file of a checkpoint is not as it was written; None when all are."""
    try:
        hashes: dict[str, str] = read_json(checkpoint.path / MANIFEST)
        if {path.name for path in checkpoint.path.iterdir()} != {*hashes, MANIFEST} or ADAPTER_FILE not in hashes:
            return _("its files are not those of its manifest")
        broken = next((n for n, digest in hashes.items() if file_sha256(checkpoint.path / n) != digest), None)
    except (OSError, ValueError, AttributeError, TypeError):
        return _("it is not complete")
    return _("{broken} has changed", broken=broken) if broken else None


def newest_valid(folder: Path) -> Checkpoint | None:
    """Return the checkpoint to go on from; None when there is none that can be trusted."""
    return next((each for each in reversed(list_checkpoints(folder)) if damage(each) is None), None)


def read_counts(checkpoint: Checkpoint) -> Counts:
    """Read the counts that were saved with a checkpoint."""
    return Counts.model_validate(read_json(checkpoint.path / COUNTS_FILE))


def superseded(folder: Path, *, best_step: int | None, keep_newest: int = KEEP_NEWEST) -> list[Checkpoint]:
    """Return all that are whole but for the best and the newest; by step, never by date."""
    whole = [checkpoint for checkpoint in list_checkpoints(folder) if (checkpoint.path / MANIFEST).exists()]
    return [checkpoint for checkpoint in whole[:-keep_newest] if checkpoint.step != best_step]


def rotate(folder: Path, *, best_step: int | None, keep_newest: int = KEEP_NEWEST) -> None:
    """Delete what is superseded."""
    for checkpoint in superseded(folder, best_step=best_step, keep_newest=keep_newest):
        remove(checkpoint.path)


def remove(path: Path) -> None:
    """Delete a checkpoint's folder; killed half way, what is left is not taken for one."""
    going = path.with_name(f"{STAGING}old-{path.name}")
    shutil.rmtree(going, ignore_errors=True)
    path.rename(going)
    shutil.rmtree(going)


def remove_staged(folder: Path) -> None:
    """Delete what a killed trainer left half written or half deleted."""
    for path in folder.glob(f"{STAGING}*"):
        shutil.rmtree(path, ignore_errors=True)
