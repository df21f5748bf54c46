"""What the card of a job shows beside what the job object says."""

from dataclasses import dataclass

from shared.jobs import FINISHED, Job
from shared.results import Advice


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A job and what the job object does not say."""

    job: Job
    queued: int | None = None  # jobs that wait, this one included; known while it waits itself
    starts_at: float | None = None  # seconds since 1970, as the agent estimates it
    machine_paused: bool = False  # nothing starts; known of a job that waits
    advice: tuple[Advice, ...] = ()  # of a job that ended without a result

    @property
    def finished(self) -> bool:
        """Whether nothing will happen any more."""
        return self.job.status in FINISHED
