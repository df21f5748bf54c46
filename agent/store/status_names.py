"""How a job's status is called in a sentence."""

from shared.jobs import JobStatus
from shared.language import N_

STATUS_WORDS: dict[str, str] = {  # behind “it is”
    JobStatus.validating_files: N_("being read"),
    JobStatus.queued: N_("queued"),
    JobStatus.running: N_("running"),
    JobStatus.paused: N_("paused"),
    JobStatus.succeeded: N_("done"),
    JobStatus.failed: N_("failed"),
    JobStatus.cancelled: N_("cancelled"),
}
