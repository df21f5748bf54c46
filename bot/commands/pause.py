"""/pause: a job, or the whole machine, gives its memory back; nothing of what was learned is lost."""

from bot.call import Call
from bot.card import job_name, state
from bot.chat import Answer
from bot.core import Command, Core, always
from bot.errors import BadCallError
from bot.format import wrap
from bot.reply import Button, Reply
from bot.which import find_job
from shared.jobs import FINISHED, Job, JobStatus


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Pause the job that was named, or without a name the machine."""
    if not call.arguments:
        await core.agent.pause_machine()
        await answer.show(_machine_paused())
        return
    job = await find_job(core.agent, call.arguments[:1])
    if job.status is JobStatus.running and not job.pausing:
        job = await core.agent.pause(job.id)
    await answer.show(_paused(job))


def _machine_paused() -> Reply:
    lines = [
        "Pausing the machine …",
        *wrap("A job that runs saves its place and gives the memory back within 30 s."),
        "Nothing starts until /resume.",
    ]
    return Reply(text="\n".join(lines), buttons=(Button(label="Resume", line="/resume"),))


def _paused(job: Job) -> Reply:
    if job.status in FINISHED:
        raise BadCallError(f"{job_name(job)} has ended already: {state(job).lower()}. There is nothing to pause.")
    if job.status is JobStatus.paused:
        text = f"{job_name(job)} is paused.\nIt goes on where it was with /resume #{job.number}."
    elif job.status is JobStatus.running:
        text = (
            f"Pausing {job_name(job)} …\nIt saves its place and gives the memory back within 30 s. "
            f"It goes on with /resume #{job.number}; others may run meanwhile."
        )
    else:
        raise BadCallError(
            f"{job_name(job)} does not run yet, so there is nothing to pause. "
            f"/cancel #{job.number} takes it out of the queue; /pause alone pauses the whole machine."
        )
    return Reply(text="\n".join(wrap(text)), buttons=(Button(label="Resume", line=f"/resume #{job.number}"),))


COMMAND = Command(name="pause", usage="[#n]", summary="a job, or the machine", run=run, keeps=always, stops=True)
