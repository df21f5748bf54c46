"""The message that calls a person to a job which stands still until they do something. Pure."""

from bot.cards.job import job_name
from bot.format import clip, wrap
from bot.reply import Button, Reply
from shared.jobs import Job, JobStatus, PauseReason
from shared.language import _


def call_to(job: Job) -> Reply | None:
    """Return what to do and the taps for it; None while the job needs nobody."""
    if job.status is not JobStatus.paused or job.paused is not PauseReason.disk:
        return None
    number = job.number
    return Reply(
        text="\n".join(
            [
                clip(_("Needs you · {job}", job=job_name(job))),
                *wrap(_("The disk of the GPU machine is full, so the job was paused. Nothing is lost.")),
                *wrap(_("Free some space there, then resume it: it goes on where it was.")),
            ]
        ),
        buttons=(
            Button(label=_("Resume"), line=f"/resume #{number}"),
            Button(label=_("Log"), line=f"/log #{number}"),
            Button(label=_("Cancel"), line=f"/cancel #{number}"),
        ),
    )
