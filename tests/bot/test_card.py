from typing import Any

from bot.card import job_card
from bot.format import clock_time
from bot.snapshot import Snapshot, take_snapshot
from shared.events import QueueData
from shared.jobs import Job, JobStatus
from tests.bot.harness import Bot
from tests.fakes.agent_server import NOW, FakeAgent

FIELDS: dict[str, Any] = {
    "id": "ftjob-1", "created_at": NOW, "model": "m", "training_file": "file-1", "seed": 42,
    "method": {"type": "supervised"}, "number": 1, "suffix": "toast",
}  # fmt: skip


def waiting(*, starts_at: float, now: float) -> str:
    job = Job(status=JobStatus.queued, queue_position=2, **FIELDS)
    return job_card(Snapshot(job=job, starts_at=starts_at), now=now).text


def test_the_wait_runs_out_while_the_clock_of_the_start_stands() -> None:
    at = NOW + 3600
    for now, left in [(NOW, "1 h"), (NOW + 1800, "30 min"), (NOW + 3540, "1 min")]:
        assert waiting(starts_at=at, now=now).endswith(f"Starts in about {left} ({clock_time(at, now=now)})")


def test_a_start_that_is_overdue_is_never_a_negative_wait() -> None:
    assert waiting(starts_at=NOW, now=NOW + 500).endswith("Starts at once")


async def test_a_wait_counts_from_the_event_that_said_it(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    agent.emit(job.id, QueueData(position=2, wait_s=9000))
    agent.emit(job.id, QueueData(position=1, wait_s=600))
    assert (await take_snapshot(bot.core.agent, job.id)).starts_at == agent.events[-1].created_at + 600


async def test_the_agents_own_estimate_of_the_start_comes_first(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(estimated_start=NOW + 77)
    agent.emit(job.id, QueueData(position=1, wait_s=600))
    assert (await take_snapshot(bot.core.agent, job.id)).starts_at == NOW + 77


def test_elapsed_counts_from_the_start_and_not_from_the_wait_before_it() -> None:
    job = Job(status=JobStatus.running, started_at=NOW + 3600, **FIELDS)
    assert "Elapsed 2 min" in job_card(Snapshot(job=job), now=NOW + 3720).text
    unknown = job.model_copy(update={"started_at": None})
    assert "Elapsed 1 h 2 min" in job_card(Snapshot(job=unknown), now=NOW + 3720).text
