"""Which files may be trained on, and which may be held out beside one. Pure."""

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.files import FileObject, FilePurpose
from shared.language import _


def must_be_dataset(file: FileObject, *, param: str = "training_file") -> None:
    """Refuse to train on what a job made."""
    if file.purpose is not FilePurpose.fine_tune:
        raise AgentError(
            _(
                "{filename} is the result of a job, not a dataset. Send a file with purpose “fine-tune”.",
                filename=file.filename,
            ),
            code=ErrorCode.invalid_request,
            param=param,
        )


def check_validation(held: FileObject, trained: FileObject) -> None:
    """Refuse to hold out what a job made, and what is trained on."""
    must_be_dataset(held, param="validation_file")
    if held.sha256 == trained.sha256:
        raise AgentError(
            _(
                "{filename} is the training file as well, so it would measure nothing. Give another validation_file, "
                "or leave it out: a part of the training rows is held out then.",
                filename=held.filename,
            ),
            code=ErrorCode.invalid_request,
            param="validation_file",
        )


def of_validation(held: FileObject, error: AgentError) -> AgentError:
    """Return what is wrong with a validation file as what it is: not the training file's."""
    message = _("The validation file {filename}: {message}", filename=held.filename, message=error.message)
    return AgentError(message, code=error.code, param="validation_file")
