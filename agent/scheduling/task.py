"""Tasks: what takes a worker's memory for a while and is no training. A task is of a finished job. Pure.

A task runs beside a training or alone, never while a job is about to start: a job's memory comes first.
"""

from dataclasses import dataclass

from shared.jobs import Stage
from shared.machine import TaskKind

BEFORE_TRAINING = frozenset({None, Stage.fetch, Stage.prepare, Stage.load})


@dataclass(frozen=True, kw_only=True)
class Task:
    """One piece of work for a finished job."""

    kind: TaskKind
    job_id: str
    number: int  # the job's


@dataclass(frozen=True, kw_only=True)
class Training:
    """The job that a worker has, or is about to."""

    number: int
    waits: bool  # it is next, and nothing stands in its way
    stage: Stage | None
    trained_at: int | None  # when its last step was reported, seconds since 1970; None: before its first
    still_needs_mib: int  # how far its memory may grow yet, by its plan; RAM alone


def must_wait(training: Training | None, *, made_way_at: float, now: float) -> bool:
    """Say whether a job is about to take the memory: it starts, or has not trained since it was last made way for."""
    if training is None:
        return False
    if training.waits or training.stage in BEFORE_TRAINING:
        return True
    if made_way_at > now:  # the clock was set back since: whether it has trained cannot be told, and is likely
        return False
    return training.stage is Stage.train and (training.trained_at or 0) + 1 <= made_way_at  # events count whole seconds
