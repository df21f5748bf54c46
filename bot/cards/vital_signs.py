"""What a card says of a running job's trainer: whether it lives, whether it gets on, which attempt it is. Pure.

Never guessed: without a proof of life younger than two minutes nothing is said to run.
"""

from bot.words.format import duration
from shared.jobs import ATTEMPTS, PROOF_S, Job, JobStatus, Stage, TrainerHealth
from shared.language import _


def no_proof(job: Job) -> bool:
    """Say whether the trainer has not proved for too long that it lives."""
    return job.status is JobStatus.running and job.proof_age_s is not None and job.proof_age_s > PROOF_S


def signs(job: Job) -> list[str]:
    """Return what is out of the ordinary with a trainer, and what happens next; nothing if all is well."""
    if no_proof(job):
        return [
            _("Last proof {duration} ago", duration=duration(job.proof_age_s)),
            _("It may hang, or the PC may be busy or asleep. If it stays silent, the agent starts it again."),
        ]
    if job.health is TrainerHealth.silent:
        since = _(" for {duration}", duration=duration(job.proof_age_s)) if job.proof_age_s is not None else ""
        return [_("No sign of life{since}: it hangs, or the PC is overloaded. The agent watches it.", since=since)]
    for_ = duration(job.work_age_s)
    still = _("No step for {time}", time=for_) if job.stage is Stage.train else _("No progress for {time}", time=for_)
    if job.health is TrainerHealth.slow:
        return [_("{still} (usually quicker)", still=still)]
    if job.health is TrainerHealth.stalled:
        return [_("{still}, starting it again from its newest checkpoint", still=still)]
    return []


def attempt(job: Job) -> list[str]:
    """Return which attempt this is, unless it is the first."""
    return [_("Attempt {attempt} of {attempts}", attempt=job.attempt, attempts=ATTEMPTS)] if job.attempt > 1 else []
