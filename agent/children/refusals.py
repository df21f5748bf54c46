"""What is said when a child that reads for a person dies, hangs or hits a limit."""

from collections.abc import Callable

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _


def dataset_refusal(happened: str) -> AgentError:
    """Say that a dataset could not be read, and why."""
    return AgentError(
        _(
            "Reading the file {happened}. Send a smaller or simpler one; the agent's log has the details.",
            happened=happened,
        ),
        code=ErrorCode.dataset_broken,
    )


def download_refusal(model: str) -> Callable[[str], AgentError]:
    """Return what says that a base model could not be downloaded, and why."""
    return lambda happened: AgentError(
        _(
            "Downloading the base model {model} {happened}. What came is kept: try again, or use a model that is here "
            "already (/models).",
            model=model,
            happened=happened,
        ),
        code=ErrorCode.model_unusable,
        param="model",
    )


def model_refusal(model: str) -> Callable[[str], AgentError]:
    """Return what says that a base model could not be read, and why."""
    return lambda happened: AgentError(
        _(
            "Reading the base model {model} {happened}. Choose another one (/models); the agent's log has the details.",
            model=model,
            happened=happened,
        ),
        code=ErrorCode.model_unusable,
        param="model",
    )
