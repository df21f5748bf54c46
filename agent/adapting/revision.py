"""Write the next revision of a job's spec, and clear away what does not go with it."""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.adapting.ladder import Rung, Strait, next_rung
from agent.export.adapter_zip import zip_newest_checkpoint
from agent.job_folder.checkpoint_files import list_checkpoints, newest_valid, remove
from agent.job_folder.folder import ADAPTER_FILE, JobFolder
from agent.job_folder.spec import JobSpec
from agent.methods.table import METHODS
from shared.jobs import Stage
from shared.language import N_, _, ngettext

IN_STAGE = {
    Stage.load: N_("The memory was not enough to load the base model."),
    Stage.train: N_("The memory was not enough to train."),
    Stage.evaluate: N_("The memory was not enough to measure the result."),
}


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """What a job changed, in words."""

    message: str  # what happened, what changed, and where it goes on
    detail: str  # what changed
    starts_over: bool
    packed: Path | None = None  # what was trained before it starts over, as a result file


def step_down(
    folder: JobFolder,
    stage: Stage,
    *,
    held_mib: int | None = None,
    rows: int = 0,
    longer_than: Callable[[int], int] = lambda _length: 0,
    gently: bool = False,
    clock: Callable[[], float] = time.time,
) -> Adapted | None:
    """Give up the next thing in a stage that had too little memory; None where nothing is left to give up.

    `held_mib`: what the job held then. `longer_than`: how many of its rows a length would cut. `gently`: give up
    nothing that was trained, where it is not sure that memory was the cause.
    """
    spec = folder.read_spec()
    rung = next_rung(
        Strait(
            stage=stage,
            settings=spec.settings,
            device=spec.device,
            evaluation_rows=spec.evaluation_rows,
            exact=METHODS[spec.method].exact_in_parts,
            tried_again=spec.tried_again,
            trained=bool(list_checkpoints(folder.checkpoints)),
            gently=gently,
            rows=rows,
            longer_than=longer_than,
        )
    )
    if rung is None:
        return None
    lost_s = _trained_s(folder, clock()) if rung.starts_over else 0.0
    held = max(held_mib or 0, spec.short_memory_mib or 0) if stage is Stage.train else spec.short_memory_mib
    packed = _revise(folder, spec, rung, short_memory_mib=held or None, now=clock())
    detail = _("{change} (memory)", change=rung.said[0].upper() + rung.said[1:])
    happened = _("{why} From now on: {change}.", why=_(IN_STAGE[stage]), change=rung.said)
    return Adapted(
        message=f"{happened} {_onward(folder, lost_s)}" if stage is Stage.train else happened,
        detail=detail,
        starts_over=rung.starts_over,
        packed=packed,
    )


def go_back(folder: JobFolder, *, clock: Callable[[], float] = time.time) -> Adapted | None:
    """Go back to the last checkpoint whose weights are finite, at half the rate; None: that was done before."""
    spec = folder.read_spec()
    if spec.rate_halved:
        return None
    for checkpoint in reversed(list_checkpoints(folder.checkpoints)):
        if _is_finite(checkpoint.path):
            break
        remove(checkpoint.path)
    begins = newest_valid(folder.checkpoints) is None
    lost_s = _trained_s(folder, clock()) if begins else 0.0
    rate = spec.settings.learning_rate / 2
    said = _("half the learning rate, {rate:g}", rate=rate)
    rung = Rung(said=said, settings={"learning_rate": rate}, spec={"rate_halved": True}, starts_over=begins)
    _revise(folder, spec, rung, short_memory_mib=spec.short_memory_mib, now=clock())
    return Adapted(
        message=" ".join([
            _("The loss, or its gradients, stopped being a number. From now on: {change}.", change=said),
            _onward(folder, lost_s),
        ]),
        detail=_("{change} (it had diverged)", change=said[0].upper() + said[1:]),
        starts_over=begins,
    )  # fmt: skip


def take_rate(folder: JobFolder, rate: float, *, clock: Callable[[], float] = time.time) -> Adapted | None:
    """Train on at another rate, as somebody asked; the wish is heard. None: it has that rate already."""
    spec = folder.read_spec()
    if rate == spec.settings.learning_rate:
        folder.rate_request.unlink(missing_ok=True)
        return None
    said = _("learning rate {rate:g} in place of {before:g}, as asked", rate=rate, before=spec.settings.learning_rate)
    rung = Rung(said=said, settings={"learning_rate": rate})
    _revise(folder, spec, rung, short_memory_mib=spec.short_memory_mib, now=clock())
    folder.rate_request.unlink(missing_ok=True)
    detail = said[0].upper() + said[1:]
    return Adapted(message=f"{detail}.", detail=detail, starts_over=False)


def _revise(folder: JobFolder, spec: JobSpec, rung: Rung, *, short_memory_mib: int | None, now: float) -> Path | None:
    """Clear away first: without what it clears, the spec of before begins again, and comes to the same end.

    Return what was trained before, packed, where that is cleared away.
    """
    packed = zip_newest_checkpoint(folder) if rung.starts_over else None
    if rung.starts_over:
        folder.finish_request.unlink(missing_ok=True)  # it was about the training that is given up
        for checkpoint in list_checkpoints(folder.checkpoints):
            remove(checkpoint.path)
        (folder.adapter / ADAPTER_FILE).unlink(missing_ok=True)
        for kept in (folder.path / "rows").glob("reference-*.npy"):
            kept.unlink()
    if rung.reads_again:
        folder.stage_marker(Stage.prepare).unlink(missing_ok=True)
        shutil.rmtree(folder.path / "rows", ignore_errors=True)
    changed = {
        "settings": spec.settings.model_copy(update=rung.settings),
        "revision": spec.revision + 1,
        "adapted": [*spec.adapted, rung.said],
        "short_memory_mib": short_memory_mib,
        "began_again_at": now if rung.starts_over else spec.began_again_at,
        **rung.spec,
    }
    folder.write_spec(spec.model_copy(update=changed))
    return packed


def _onward(folder: JobFolder, lost_s: float) -> str:
    found = list_checkpoints(folder.checkpoints)
    if found:
        return _("It goes on from step {step}.", step=found[-1].step)
    minutes = round(lost_s / 60)
    if not minutes:
        return _("It begins again.")
    return ngettext("It begins again; {n} minute is lost.", "It begins again; {n} minutes are lost.", minutes)


def _trained_s(folder: JobFolder, now: float) -> float:
    """Return how long ago the training began that is given up: since the rows were there, or the spec before."""
    began = [path.stat().st_mtime for path in (folder.stage_marker(Stage.prepare), folder.spec) if path.exists()]
    return max(0.0, now - max(began, default=now))


def _is_finite(checkpoint: Path) -> bool:
    import numpy as np  # the agent, which needs none of this, starts without them
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = load_file(checkpoint / ADAPTER_FILE)
    except (OSError, ValueError, SafetensorError):
        return False
    return all(math.isfinite(float(np.abs(weight).sum())) for weight in weights.values())
