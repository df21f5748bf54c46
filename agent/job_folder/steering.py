"""What is asked of a training that runs: left in its folder by the agent, and kept there over a restart."""

from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from agent.job_folder.folder import JobFolder
from shared.errors import ErrorCode
from shared.jobs import Stage, Steering
from shared.language import _

NOW, EPOCH = b"now", b"epoch"


def steer(folder: JobFolder, what: Steering, *, number: int) -> None:
    """Leave a wish for the training. Raises job_not_running where there is none that could hear it."""
    if not folder.spec.exists() or folder.stage_marker(Stage.train).exists():
        raise AgentError(
            _("Job #{number} does not train now, so there is nothing to change about it.", number=number),
            code=ErrorCode.job_not_running,
        )
    match what:
        case Steering.finish:
            replace_file(folder.finish_request, NOW)
        case Steering.finish_epoch:
            replace_file(folder.finish_request, EPOCH)
        case Steering.slow_down:
            rate = folder.read_spec().settings.learning_rate / 2  # not of one that waits to be heard: two taps are one
            replace_file(folder.rate_request, f"{rate!r}".encode())
        case Steering.checkpoint:
            replace_file(folder.checkpoint_request, b"")


def finish_wish(folder: JobFolder) -> bytes | None:
    """Return NOW or EPOCH, or None."""
    try:
        return EPOCH if folder.finish_request.read_bytes() == EPOCH else NOW
    except FileNotFoundError:
        return None


def rate_wish(folder: JobFolder) -> float | None:
    """Return the learning rate that is asked for, if one is."""
    try:
        return float(folder.rate_request.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
