"""The message that calls a person to a job which stands still until they do something. Pure."""

from bot.cards.job import job_name
from bot.core.reply import Button, Reply, Tone, Weight
from shared.jobs import Job, JobStatus, PauseReason
from shared.language import N_, _

CALLS: dict[PauseReason, tuple[str, str, str]] = {  # what happened, what to do, the line that goes on
    PauseReason.disk: (
        N_("The disk of the GPU machine is full, so the job was paused. Nothing is lost."),
        N_("Free some space there, then resume it: it goes on where it was."),
        "/resume #{number}",
    ),
    PauseReason.gpu: (
        N_("The GPU does not answer any more, so the machine was paused. Nothing is lost."),
        N_("Its owner restarts that PC and taps Resume: the job goes on where it was, then the queue."),
        "/resume",
    ),
}


def call_to(job: Job) -> Reply | None:
    """Return what to do and the taps for it; None while the job needs nobody."""
    if job.status is not JobStatus.paused or job.paused not in CALLS:
        return None
    number = job.number
    happened, to_do, resume = CALLS[job.paused]
    return Reply(
        title=_("! {job} needs you", job=job_name(job)),
        tone=Tone.trouble,
        summary=f"{_(happened)}\n{_(to_do)}",
        buttons=(
            Button(label=_("Resume"), line=resume.format(number=number), weight=Weight.primary),
            Button(label=_("Log"), line=f"/log #{number}"),
            Button(label=_("Stop"), line=f"/cancel #{number}", weight=Weight.danger),
        ),
    )
