"""/pause: a job, or the whole machine, gives its memory back; nothing of what was learned is lost."""

from bot.cards.job import job_name, state_in_sentence
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Tone
from bot.dispatch.command import Command, Core, always
from bot.dispatch.job_reference import find_job
from bot.errors import BadCallError
from shared.jobs import FINISHED, Job, JobStatus
from shared.language import N_, _


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
    saves = _("A job that runs saves its place and gives the memory back within 30 s.")
    return Reply(
        title=_("Pausing the machine …"),
        tone=Tone.waiting,
        summary="\n".join([saves, _("Nothing starts until /resume.")]),
        buttons=(Button(label=_("Resume"), line="/resume"),),
    )


def _paused(job: Job) -> Reply:
    if job.status in FINISHED:
        raise BadCallError(
            _(
                "{job} has ended already: {state}. There is nothing to pause.",
                job=job_name(job),
                state=state_in_sentence(job),
            )
        )
    if job.status is JobStatus.paused:
        text = _(
            "{job} is paused.\nIt goes on where it was with /resume #{number}.",
            job=job_name(job),
            number=job.number,
        )
    elif job.status is JobStatus.running:
        text = _(
            "Pausing {job} …\nIt saves its place and gives the memory back within 30 s. It goes "
            "on with /resume #{number}; others may run meanwhile.",
            job=job_name(job),
            number=job.number,
        )
    else:
        raise BadCallError(
            _(
                "{job} does not run yet, so there is nothing to pause. /cancel #{number} takes it "
                "out of the queue; /pause alone pauses the whole machine.",
                job=job_name(job),
                number=job.number,
            )
        )
    return Reply(summary=text, buttons=(Button(label=_("Resume"), line=f"/resume #{job.number}"),))


COMMAND = Command(name="pause", usage="[#n]", summary=N_("a job, or the machine"), run=run, keeps=always, stops=True)
