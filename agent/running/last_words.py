"""What is said for a trainer that left without a last word, by what it left in the job folder."""

from agent.job_folder.folder import JobFolder
from agent.running.trainer_process import Trainer, exit_code
from agent.running.trainer_watch import TrainerExit
from agent.scheduling.attempts import reached
from shared.language import _


def what_happened(folder: JobFolder, gone: TrainerExit, trainer: Trainer) -> str:
    """Say how a trainer left, without a full stop."""
    if gone is TrainerExit.stalled:
        return _("The trainer stood still and was ended")
    if not folder.is_fetched():
        return _("The base model could not be fetched ({outcome})", outcome=trainer.outcome())
    if trainer.outcome() == exit_code(0):
        return _("The trainer was stopped from outside")
    return _("The trainer died ({outcome})", outcome=trainer.outcome())


def paused_at(folder: JobFolder) -> str:
    """Say from where a paused job goes on."""
    step = reached(folder).step
    return (
        _("Paused; the memory is free. It goes on from step {step}.", step=step)
        if step
        else _("Paused; the memory is free.")
    )
