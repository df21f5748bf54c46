"""Whether a job whose trainer died is tried again.

`next_attempt` decides and is pure; `reached` reads from the job folder how far the job has come.
"""

from dataclasses import dataclass

from agent.job_folder.checkpoint_files import list_checkpoints
from agent.job_folder.folder import JobFolder
from shared.jobs import ATTEMPTS


@dataclass(frozen=True, kw_only=True, order=True)
class AttemptProgress:
    """How far a job had come, by what is complete on disk."""

    stages: int  # finished ones
    step: int  # of the newest complete checkpoint; 0 before the first


def reached(folder: JobFolder) -> AttemptProgress:
    """Return how far a job came, by what is complete in its folder."""
    found = list_checkpoints(folder.checkpoints)
    return AttemptProgress(stages=folder.finished_stages(), step=found[-1].step if found else 0)


def next_attempt(
    *, attempt: int, at_last_death: AttemptProgress | None, now: AttemptProgress, rebooted: bool
) -> int | None:
    """Return the number of the next attempt after attempt number `attempt` died; None: that was the last.

    A machine that was switched off says nothing about the job, so it costs no attempt.
    """
    if rebooted:
        return attempt
    moved = at_last_death is None or now > at_last_death
    failures = 1 if moved else attempt
    return failures + 1 if failures < ATTEMPTS else None
