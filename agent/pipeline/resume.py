"""Where a training goes on that was broken off."""

from agent.job_folder.checkpoint_files import Checkpoint, damage, list_checkpoints, newest_valid, remove, remove_staged
from agent.pipeline.context import Context
from shared.events import StageData
from shared.jobs import Stage
from shared.language import _


def find_resume(context: Context) -> Checkpoint | None:
    """Choose the newest checkpoint whose hashes are right, and say so; None to begin at the beginning."""
    folder = context.folder.checkpoints
    remove_staged(folder)
    found = list_checkpoints(folder)
    resume = newest_valid(folder)
    for skipped in reversed(found):
        if resume is not None and skipped.step <= resume.step:
            break
        said = _(
            "The checkpoint at step {step} is damaged ({damage}), so it is not used.",
            step=skipped.step,
            damage=damage(skipped),
        )
        context.log.write(said, StageData(stage=Stage.train, done=False), level="warn")
        remove(skipped.path)  # it must not count as one of the newest
    if found:
        step = resume.step if resume else 0
        detail = (
            _("Going on from step {step}", step=step) if resume else _("Beginning again: no checkpoint can be trusted")
        )
        context.log.write(f"{detail}.", StageData(stage=Stage.train, done=False))
    return resume
