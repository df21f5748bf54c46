"""All that a card needs to know of a job, asked of the agent at one moment."""

from dataclasses import dataclass

from bot.agent_client import AgentClient
from shared.events import AdviceData, QueueData
from shared.jobs import FINISHED, Job, JobStatus
from shared.results import Advice


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A job and what the job object does not say."""

    job: Job
    queued: int | None = None  # jobs that wait, this one included; known while it waits itself
    wait_s: int | None = None
    advice: tuple[Advice, ...] = ()  # of a job that ended without a result

    @property
    def finished(self) -> bool:
        """Whether nothing will happen any more."""
        return self.job.status in FINISHED


async def take_snapshot(agent: AgentClient, job_id: str) -> Snapshot:
    """Ask for a job, and for its place in the queue or its advice where that applies."""
    job = await agent.job(job_id)
    if job.status is JobStatus.queued:
        info = await agent.info()
        events = (await agent.events(job.id)).data
        waits = [event.data.wait_s for event in events if isinstance(event.data, QueueData)]
        return Snapshot(job=job, queued=info.queued_jobs, wait_s=waits[0] if waits else None)
    if job.status in FINISHED and job.result is None:
        events = (await agent.events(job.id, limit=100)).data
        return Snapshot(
            job=job, advice=tuple(e.data.advice for e in reversed(events) if isinstance(e.data, AdviceData))
        )
    return Snapshot(job=job)
