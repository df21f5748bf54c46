"""/queue: whose turn it is, and when."""

from bot.cards.job import job_name, state
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply
from bot.dispatch.command import Command, Core
from bot.words.format import clip, clock_time
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
        lines = [_("Nothing runs and nothing waits."), _("/finetune with a file is next at once.")]
        await answer.show(Reply(text="\n".join(lines)) if not paused else await _machine_paused(core, lines[:1]))
        return
    ordered = sorted(jobs, key=_turn)
    lines = [line for job in ordered[:SHOWN] for line in _line(job, now=core.clock.now(), paused=paused)]
    if len(ordered) > SHOWN:
        lines.append(ngettext("and {n} more job", "and {n} more jobs", len(ordered) - SHOWN))
    await answer.show(await _machine_paused(core, lines) if paused else Reply(text="\n".join(lines)))


async def _machine_paused(core: Core, lines: list[str]) -> Reply:
    text = "\n".join([_("The machine is paused: nothing starts."), *lines])
    may = Action.pause_machine in (await core.agent.me()).may
    return Reply(text=text, buttons=(Button(label=_("Resume"), line="/resume"),) if may else ())


def _turn(job: Job) -> tuple[int, int, int]:
    """Order: what runs, what waits by its place, what is still read, what is paused."""
    order = [JobStatus.running, JobStatus.queued, JobStatus.validating_files, JobStatus.paused]
    return order.index(job.status), job.queue_position or 0, job.number


def _line(job: Job, *, now: float, paused: bool) -> list[str]:
    place = f"{job.queue_position}. " if job.status is JobStatus.queued and job.queue_position else ""
    when = "" if paused and job.status is JobStatus.queued else _when(job, now=now)
    return [clip(f"{place}{job_name(job)} · {state(job)}"), *([f"   {when}"] if when else [])]


def _when(job: Job, *, now: float) -> str:
    if job.status is JobStatus.running and job.estimated_finish is not None:
        return _("done about {time}", time=clock_time(job.estimated_finish, now=now))
    if job.status is JobStatus.queued and job.estimated_start is not None:
        return _("starts about {time}", time=clock_time(job.estimated_start, now=now))
    return ""


COMMAND = Command(name="queue", usage="", summary=N_("whose turn it is"), run=run)
