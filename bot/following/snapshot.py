"""All that a card needs to know of a job, asked of the agent at one moment."""

from bot.agent_api.client import AgentClient
from bot.cards.snapshot import Snapshot
from bot.errors import AgentRefusedError, JobUnknownError
from shared.errors import ErrorCode
from shared.events import AdviceData, QueueData
from shared.jobs import FINISHED, Job, JobStatus
from shared.results import Advice


async def take_snapshot(agent: AgentClient, job_id: str) -> Snapshot:
    """Ask for a job, and for its place in the queue or its advice where that applies.

    Raises JobUnknownError if the agent does not know it.
    """
    job = await _known_job(agent, job_id)
    if job.status is JobStatus.queued:
        info = await agent.info()
        starts_at = None if info.paused else await _starts_at(agent, job)
        return Snapshot(job=job, queued=info.queued_jobs, starts_at=starts_at, machine_paused=info.paused)
    if job.status in FINISHED and job.result is None:
        return Snapshot(job=job, advice=await _advice(agent, job))
    return Snapshot(job=job)


async def _advice(agent: AgentClient, job: Job) -> tuple[Advice, ...]:
    """Return what the diagnosis said; nothing to who sees of the job no more than its state."""
    try:
        events = (await agent.events(job.id, limit=100)).data
    except AgentRefusedError as error:
        if error.code is not ErrorCode.not_allowed:
            raise
        return ()
    return tuple(event.data.advice for event in reversed(events) if isinstance(event.data, AdviceData))


async def _known_job(agent: AgentClient, job_id: str) -> Job:
    try:
        return await agent.job(job_id)
    except AgentRefusedError as error:
        if error.code is ErrorCode.not_found:
            raise JobUnknownError(error.message, code=error.code) from error
        raise


async def _starts_at(agent: AgentClient, job: Job) -> float | None:
    """Return when a waiting job may start: the job's own estimate, else what the queue said last."""
    if job.estimated_start is not None:
        return job.estimated_start
    for event in (await agent.events(job.id)).data:  # newest first
        if isinstance(event.data, QueueData):
            return None if event.data.wait_s is None else event.created_at + event.data.wait_s
    return None
