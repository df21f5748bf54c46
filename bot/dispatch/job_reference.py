"""Which job a person means: a number, an id, or nothing, which is the one that runs, waits or came last."""

import re

from bot.agent_api.client import AgentClient
from bot.errors import BadCallError
from bot.words.format import clip, one_line
from shared.jobs import FINISHED, Job, JobStatus
from shared.language import _


async def find_job(agent: AgentClient, arguments: tuple[str, ...]) -> Job:
    """Return the job that was meant; raise BadCallError if that is no job's number or there is none."""
    if arguments:
        return await agent.job(_reference(arguments[0]))
    jobs = (await agent.jobs()).data
    if not jobs:
        raise BadCallError(_("There is no job yet. /finetune with a file makes one; /finetune sample tries it out."))
    active = [job for job in jobs if job.status in {JobStatus.running, JobStatus.paused}]
    waiting = [job for job in jobs if job.status not in FINISHED]
    return (active or waiting[-1:] or jobs)[0]


def _reference(word: str) -> str:
    reference = word.removeprefix("#")
    if not re.fullmatch(r"\d{1,9}|ftjob-[\w-]{1,64}", reference):
        raise BadCallError(
            _("“{word}” is no job. Name it by its number, as in #1. /jobs lists them.", word=clip(one_line(word), 30))
        )
    return reference
