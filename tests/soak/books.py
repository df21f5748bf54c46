"""Looks into what an agent has written down: each job ended once, and no event was lost or came twice."""

import json
from collections import Counter
from pathlib import Path

from agent.job_folder.folder import JobFolder
from agent.store import Store, events, jobs
from shared.events import Event, StateData
from shared.jobs import FINISHED, Job
from tests.soak.campaign import Campaign


async def all_jobs(store: Store) -> list[Job]:
    """Return all jobs, oldest first."""
    found: list[Job] = []
    more = True
    while more:
        after = found[-1].id if found else None
        page, more = await store.run(jobs.listing, limit=100, after=after, now=0)
        found += page
    return found[::-1]


async def all_events(store: Store) -> list[Event]:
    """Return everything that was ever said, oldest first."""
    found: list[Event] = []
    while page := (await store.run(events.of_agent, after=found[-1].cursor if found else 0)).events:
        found += page
    return found


async def check_books(campaign: Campaign, store: Store, jobs_dir: Path) -> list[Job]:
    """Check every job there is; return them."""
    said: dict[str, list[Event]] = {}
    for event in await all_events(store):
        said.setdefault(event.job_id, []).append(event)
    found = await all_jobs(store)
    for job in found:
        check_job(campaign, job, said.pop(job.id, []), JobFolder(path=jobs_dir / job.id))
    campaign.promise(not said, f"events of jobs that do not exist: {sorted(said)}")
    return found


def check_job(campaign: Campaign, job: Job, said: list[Event], folder: JobFolder) -> None:
    """One end, events numbered without a gap, and what the trainer wrote told once each and in order."""
    name = f"job #{job.number} ({job.id})"
    campaign.promise(job.status in FINISHED, f"{name} has not ended: it is {job.status}")
    ends = [event.data.status for event in said if isinstance(event.data, StateData) and event.data.status in FINISHED]
    campaign.promise(ends == [job.status], f"{name} is {job.status} and its events say {ends}")
    sequences = [event.sequence for event in said]
    campaign.promise(sequences == list(range(1, len(said) + 1)), f"{name}: its events are numbered {sequences}")
    written = [json.loads(line)["message"] for line in lines_of(folder.events)]
    theirs = set(written)
    told = [event.message for event in said if event.message in theirs]
    campaign.promise(told == written, f"{name}: its trainer wrote {written}, and told was {told}")


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file; none when it is not there."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def summary_of(found: list[Job]) -> str:
    """Say how many jobs ended how."""
    counts = Counter(job.status.value for job in found)
    return f"{len(found)} jobs: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
