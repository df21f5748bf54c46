"""The two base classes of everything that crosses the wire.

Their validators are built when they are first needed: a process has most of them in vain, and starts a tenth sooner.
"""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """Sent to the agent. Closed: an unknown key is refused, so that a typo is never ignored."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Response(BaseModel):
    """Sent by the agent. Open: a client ignores keys it does not know."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore", allow_inf_nan=False)


class SentenceError(ValueError):
    """What to do about a value, as a sentence of its own; other ValueErrors say what it must be."""
