"""JSON columns read back: one that cannot be read, of an older or a damaged store, spoils its own row alone."""

import logging
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], text: str | None, *, of: str) -> M | None:
    """Return what a column holds; None where it is empty, or cannot be read, which the log says once for each `of`."""
    if text is None:
        return None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        _complain(model.__name__, of, str(error))
        return None


def demand(model: type[M], text: str | None, *, of: str) -> M:
    """Return what a column holds; raise AgentError where nothing can be done without it."""
    found = read(model, text, of=of)
    if found is None:
        raise AgentError(
            _("The agent's database holds {what} in a form that cannot be read. Make it anew.", what=of),
            code=ErrorCode.internal,
        )
    return found


@lru_cache(maxsize=1000)  # a row that is shown every second must not fill the log
def _complain(model: str, of: str, reason: str) -> None:
    log.error("%s: its %s in the database cannot be read: %s", of, model, reason)
