"""A file that does not say how it is to be read: the question that a person answers, as an error that carries it."""

from agent.data.quoting import UNSEEN
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import Question


class UnclearError(AgentError):
    """Raised in place of rows; `question` is what to ask, the likeliest answer first."""

    def __init__(self, message: str, question: Question) -> None:
        super().__init__(message, code=ErrorCode.dataset_unclear, param="mapping")
        self.question = question


def words(text: str) -> frozenset[str]:
    """Return the words of a line, for tables of names that read as one."""
    return frozenset(text.split())


def same_name(typed: str, name: str) -> bool:
    """Say whether a typed name means this one: capitals do not count, and _ may stand for a space."""
    return typed == name or _plain(typed) == _plain(name)


def _plain(name: str) -> str:
    return " ".join(UNSEEN.sub("", name).replace("_", " ").split()).casefold()
