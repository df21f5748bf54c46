"""Which job a person means: a number, a name, an id, or nothing, which is the one that runs, waits or came last."""

import difflib
import re
from collections.abc import Sequence

from bot.agent_api.client import AgentClient
from bot.core.call import Call
from bot.errors import BadCallError
from bot.words.format import clip, one_line
from shared.jobs import FINISHED, Job, JobStatus
from shared.language import _

SLIP = 0.8  # how like a name a word is at least, of 1, where it may be meant for something else
LOOKED_AT = 100  # of the newest jobs, for one of a name
_BY_ID = re.compile(r"\d{1,9}|ftjob-[\w-]{1,64}")


async def find_job(agent: AgentClient, arguments: tuple[str, ...]) -> Job:
    """Return the job that was meant; raise BadCallError if no job has that number or name, or there is none."""
    if arguments:
        return await _find(agent, arguments[0])
    jobs = (await agent.jobs()).data
    if not jobs:
        raise BadCallError(_("There is no job yet. /finetune with a file makes one; /finetune sample tries it out."))
    active = [job for job in jobs if job.status in {JobStatus.running, JobStatus.paused}]
    waiting = [job for job in jobs if job.status not in FINISHED]
    return (active or waiting[-1:] or jobs)[0]


def named(jobs: Sequence[Job], word: str) -> Job | None:
    """Return the first of the jobs with that name."""
    return next((job for job in jobs if job.suffix.lower() == word.lower()), None)


def nearly_named(jobs: Sequence[Job], word: str) -> bool:
    """Say whether a word is the beginning of a job's name, or one with a slip."""
    names = dict.fromkeys(job.suffix.lower() for job in jobs)
    begun = any(name.startswith(word.lower()) for name in names)
    return begun or bool(difflib.get_close_matches(word.lower(), names, n=1, cutoff=SLIP))


def is_theirs(job: Job, call: Call) -> bool:
    """Say whether a person asked for a job."""
    asked = job.requested_by
    return asked is not None and (asked.platform, asked.person) == (call.platform, call.person)


async def _find(agent: AgentClient, word: str) -> Job:
    if _BY_ID.fullmatch(reference := word.removeprefix("#")):
        return await agent.job(reference)
    jobs = (await agent.jobs(limit=LOOKED_AT)).data
    begun = {job.suffix for job in jobs if job.suffix.startswith(reference.lower())}
    job = named(jobs, begun.pop() if len(begun) == 1 else reference)
    if job is not None:
        return job
    near = difflib.get_close_matches(reference.lower(), dict.fromkeys(job.suffix for job in jobs), n=1)
    hint = _(" Did you mean {name}?", name=one_line(near[0])) if near else ""
    raise BadCallError(
        _(
            "“{word}” is no job.{hint} A job has a number, as in #1, and a name. /jobs lists them.",
            word=clip(one_line(word), 30),
            hint=hint,
        )
    )
