"""Whose job runs next, and how long the others wait. First created, first run. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

PATIENCE_S = 30.0  # how long a job that is still validated holds its turn; then those behind it may go first


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A queued job, as the queue sees it."""

    job_id: str
    number: int
    minutes: float  # what its plan expects it to take


@dataclass(frozen=True, kw_only=True)
class Validating:
    """A job whose dataset is still being read: it has a number and no place yet."""

    number: int
    since: float  # seconds since 1970


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a queued job stands."""

    job_id: str
    position: int  # 1 is next
    wait_minutes: float


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the jobs in the order they will run."""
    return sorted(waiting, key=lambda job: job.number)


def next_job(waiting: Iterable[Waiting], *, validating: Iterable[Validating], now: float) -> Waiting | None:
    """Return the job to run now, or None when nobody waits or the first in line is held."""
    line = in_order(waiting)
    return None if not line or held_s(line, validating=validating, now=now) is not None else line[0]


def held_s(waiting: Iterable[Waiting], *, validating: Iterable[Validating], now: float) -> float | None:
    """Return for how long the first in line is held for one created before it; None: it is not."""
    line = in_order(waiting)
    left = [job.since + PATIENCE_S - now for job in validating if line and job.number < line[0].number]
    return max((seconds for seconds in left if seconds > 0), default=None)


def places(waiting: Iterable[Waiting], *, busy_minutes: float) -> list[Place]:
    """Return every job's place; `busy_minutes` is what the running job still needs."""
    found: list[Place] = []
    wait = busy_minutes
    for position, job in enumerate(in_order(waiting), start=1):
        found.append(Place(job_id=job.job_id, position=position, wait_minutes=wait))
        wait += job.minutes
    return found
