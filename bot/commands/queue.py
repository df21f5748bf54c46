"""/queue: whose turn it is, and when."""

from dataclasses import replace

from bot.cards.job import titled
from bot.core.blocks import Items
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Tone, Weight
from bot.dispatch.command import Command, Core
from bot.words.format import clock_time
from shared.jobs import FINISHED, Job, JobStatus
from shared.language import N_, _, ngettext
from shared.people import Action

SHOWN = 10
ASKED = 100  # of the newest jobs; older ones have ended


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """List what runs, what waits in its order, and what is paused."""
    jobs = [job for job in (await core.agent.jobs(limit=ASKED)).data if job.status not in FINISHED]
    paused = (await core.agent.info()).paused
    if not jobs:
        empty = Reply(title=_("Nothing runs and nothing waits"), summary=_("/finetune with a file is next at once."))
        await answer.show(await _machine_paused(core, replace(empty, summary="")) if paused else empty)
        return
    ordered = sorted(jobs, key=_turn)
    shown, hidden = ordered[:SHOWN], len(ordered) - SHOWN
    now = core.clock.now()
    queue = Items(
        rest=ngettext("and {n} more job", "and {n} more jobs", hidden) if hidden > 0 else "",
        items=tuple(f"#{job.number} {titled(job)}{_place(job)}" for job in shown),
        below=tuple("" if paused and job.status is JobStatus.queued else _when(job, now=now) for job in shown),
    )
    reply = Reply(title=_("The queue"), blocks=(queue,))
    await answer.show(await _machine_paused(core, reply) if paused else reply)


async def _machine_paused(core: Core, reply: Reply) -> Reply:
    may = Action.pause_machine in (await core.agent.me()).may
    return replace(
        reply,
        summary=_("The machine is paused: nothing starts."),
        tone=Tone.waiting,
        buttons=(Button(label=_("Resume"), line="/resume", weight=Weight.primary),) if may else (),
    )


def _turn(job: Job) -> tuple[int, int, int]:
    """Order: what runs, what waits by its place, what is still read, what is paused."""
    order = [JobStatus.running, JobStatus.queued, JobStatus.validating_files, JobStatus.paused]
    return order.index(job.status), job.queue_position or 0, job.number


def _place(job: Job) -> str:
    """Return , place 2 of what waits as the second."""
    if job.status is not JobStatus.queued or not job.queue_position:
        return ""
    return _(", place {position}", position=job.queue_position)


def _when(job: Job, *, now: float) -> str:
    if job.status is JobStatus.running and job.estimated_finish is not None:
        return _("done about {time}", time=clock_time(job.estimated_finish, now=now))
    if job.status is JobStatus.queued and job.estimated_start is not None:
        return _("starts about {time}", time=clock_time(job.estimated_start, now=now))
    return ""


COMMAND = Command(name="queue", usage="", summary=N_("whose turn it is"), run=run)
