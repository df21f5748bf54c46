"""Whether a job whose trainer died is tried again. Pure."""

from dataclasses import dataclass

from shared.jobs import ATTEMPTS


@dataclass(frozen=True, kw_only=True, order=True)
class Reached:
    """How far a job had come, by what is complete on disk."""

    stages: int  # finished ones
    step: int  # of the newest complete checkpoint; 0 before the first


def next_attempt(*, attempt: int, at_last_death: Reached | None, now: Reached, rebooted: bool) -> int | None:
    """Return the number of the next attempt after attempt number `attempt` died; None: that was the last.

    A machine that was switched off says nothing about the job, so it costs no attempt.
    """
    if rebooted:
        return attempt
    moved = at_last_death is None or now > at_last_death
    failures = 1 if moved else attempt
    return failures + 1 if failures < ATTEMPTS else None
