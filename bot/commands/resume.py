"""/resume: a paused job, or the paused machine, goes on."""

from bot.cards.job import job_name, state_in_sentence
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core, always
from bot.dispatch.job_reference import find_job
from bot.errors import BadCallError
from bot.words.format import clock_time
from shared.jobs import FINISHED, Job, JobStatus
from shared.language import N_, _

MACHINE = "machine"


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Resume the job that was named; without a name the machine if it is paused, else the one paused job."""
    wanted = call.arguments[:1] or (await _meant(core),)
    core.requests.means(call.kept_as, wanted)  # sent once more, it must not mean something else
    if wanted == (MACHINE,):
        await core.agent.resume_machine()
        await answer.show(_said(_("The machine goes on.\nWhat was paused with it is next, then the queue.")))
        return
    job = await find_job(core.agent, wanted)
    if job.status is JobStatus.paused:
        job = await core.agent.resume(job.id)
    elif job.status is JobStatus.queued and job.started_at is None:
        await answer.show(_never_paused(job, now=core.clock.now()))
        return
    await answer.show(_resumed(job, machine_paused=(await core.agent.info()).paused))


def _never_paused(job: Job, *, now: float) -> Reply:
    if job.start_at is not None and job.start_at > now:
        time = clock_time(job.start_at, now=now)
        return _said(_("{job} is not paused: it waits for {time}, as asked.", job=job_name(job), time=time))
    return _said(_("{job} is not paused: it waits for its turn. /queue shows when.", job=job_name(job)))


async def _meant(core: Core) -> str:
    if (await core.agent.info()).paused:
        return MACHINE
    paused = [job for job in (await core.agent.jobs(limit=100)).data if job.status is JobStatus.paused]
    if not paused:
        raise BadCallError(_("Nothing is paused: neither the machine nor a job."))
    if len(paused) > 1:
        names = ", ".join(job_name(job) for job in paused)
        raise BadCallError(
            _(
                "{count} jobs are paused: {names}. Which one? As in /resume #{number}.",
                count=len(paused),
                names=names,
                number=paused[0].number,
            )
        )
    return f"#{paused[0].number}"


def _resumed(job: Job, *, machine_paused: bool) -> Reply:
    if job.status in FINISHED:
        raise BadCallError(
            _(
                "{job} has ended already: {state}. There is nothing to resume.",
                job=job_name(job),
                state=state_in_sentence(job),
            )
        )
    if job.pausing:
        raise BadCallError(_("{job} is still being paused. Ask again in half a minute.", job=job_name(job)))
    if job.status is JobStatus.running:
        return _said(_("{job} is not paused.", job=job_name(job)))
    if machine_paused:
        return _said(
            _(
                "{job} is in the queue.\nThe machine itself is paused: /resume lets it work.",
                job=job_name(job),
            )
        )
    return _said(_("{job} goes on.\nIt takes its turn in the queue and begins where it stopped.", job=job_name(job)))


def _said(text: str) -> Reply:
    return Reply(summary=text)


COMMAND = Command(name="resume", usage="[#n]", summary=N_("let it go on"), run=run, keeps=always)
