"""Whose job runs next, and how long the others wait. First created, first run, none before its time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PATIENCE_S = 30.0  # how long a job that is still validated holds its turn; then those behind it may go first


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A queued job, as the queue sees it."""

    job_id: str
    number: int
    minutes: float  # what its plan expects it to take
    start_at: float | None = None  # not before; seconds since 1970


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


def in_order(waiting: Iterable[Waiting], *, now: float) -> list[Waiting]:
    """Return the jobs in the order they will run: those that may start now, then those whose time will come."""
    return sorted(waiting, key=lambda job: (_wait_s(job, now), job.number))


def next_job(waiting: Iterable[Waiting], *, validating: Iterable[Validating], now: float) -> Waiting | None:
    """Return the job to run now, or None when nobody waits or the first in line is held."""
    line = in_order(waiting, now=now)
    return None if not line or held_s(line, validating=validating, now=now) is not None else line[0]


def held_s(waiting: Iterable[Waiting], *, validating: Iterable[Validating], now: float) -> float | None:
    """Return for how long the first in line is held, for its own time or for one created before it; None: it is not."""
    line = in_order(waiting, now=now)
    if not line:
        return None
    first = line[0]
    # At most PATIENCE_S, also when the clock was set back since.
    left = [min(PATIENCE_S, job.since + PATIENCE_S - now) for job in validating if job.number < first.number]
    return max((seconds for seconds in (_wait_s(first, now), *left) if seconds > 0), default=None)


def places(waiting: Iterable[Waiting], *, busy_minutes: Sequence[float], now: float) -> list[Place]:
    """Return every job's place, in the order they will run, each on the worker that is free first.

    `busy_minutes` is what the job of each worker still needs, 0 of one that is free. Raises ValueError for no worker.
    """
    found: list[Place] = []
    left = list(waiting)
    free_at = [now + minutes * 60 for minutes in busy_minutes]
    while left:
        at = min(free_at)
        worker = free_at.index(at)
        job = in_order(left, now=at)[0]
        at += _wait_s(job, at)
        found.append(Place(job_id=job.job_id, position=len(found) + 1, wait_minutes=(at - now) / 60))
        free_at[worker] = at + job.minutes * 60
        left.remove(job)
    return found


def place_of_new(waiting: Iterable[Waiting], *, busy_minutes: Sequence[float], now: float) -> Place:
    """Return where a job made now would stand: behind all but those that wait for a time which is not near."""
    known = list(waiting)
    new = Waiting(job_id="", number=1 + max((job.number for job in known), default=0), minutes=0)
    placed = places([*known, new], busy_minutes=busy_minutes, now=now)
    return next(place for place in placed if place.job_id == new.job_id)


def _wait_s(job: Waiting, now: float) -> float:
    return max(0.0, job.start_at - now) if job.start_at is not None else 0.0
