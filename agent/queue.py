"""Whose job runs next, and how long the others wait. First come, first served. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A queued job, as the queue sees it."""

    job_id: str
    number: int
    queued_at: float  # seconds since 1970
    minutes: float  # what its plan expects it to take


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a queued job stands."""

    job_id: str
    position: int  # 1 is next
    wait_minutes: float


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the jobs in the order they will run."""
    return sorted(waiting, key=lambda job: (job.queued_at, job.number))


def next_job(waiting: Iterable[Waiting]) -> Waiting | None:
    """Return the job to run now, or None when nobody waits."""
    return next(iter(in_order(waiting)), None)


def places(waiting: Iterable[Waiting], *, busy_minutes: float) -> list[Place]:
    """Return every job's place; `busy_minutes` is what the running job still needs."""
    found: list[Place] = []
    wait = busy_minutes
    for position, job in enumerate(in_order(waiting), start=1):
        found.append(Place(job_id=job.job_id, position=position, wait_minutes=wait))
        wait += job.minutes
    return found
