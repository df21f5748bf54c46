"""What may stand behind the question mark of each route."""

from typing import Annotated, Literal

from pydantic import Field

from shared.files import FilePurpose
from shared.schema import Request

Limit = Annotated[int, Field(ge=1, le=1000)]


class PageQuery(Request):
    """A page of a list, newest first."""

    after: str | None = None  # the last id of the page before
    limit: Limit = 20


class FilesQuery(Request):
    """A page of the files."""

    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=10000)] = 10000
    order: Literal["asc", "desc"] = "desc"
    purpose: FilePurpose | None = None


class EventsQuery(Request):
    """A page of a job's events, newest first; or, with `stream`, all of them as they come, oldest first."""

    after: str | None = None
    limit: Limit = 20
    stream: bool = False


class FeedQuery(Request):
    """Where the agent's feed begins: behind this cursor, or now."""

    after: Annotated[int, Field(ge=0, lt=10**18)] | None = None


class LogQuery(Request):
    """How much of the log."""

    tail: Annotated[int, Field(ge=1, le=10000)] = 200  # lines


class PlotQuery(Request):
    """How a plot is drawn."""

    theme: Literal["light", "dark"] = "light"


class ShareQuery(Request):
    """Which answer of a finished job a picture shows."""

    answer: Annotated[int, Field(ge=0, le=99)] = 0  # the most telling one is the first


class WaitQuery(Request):
    """How long to wait for an answer that is not there yet."""

    wait_s: Annotated[float, Field(ge=0, le=30)] = 0


class LinkQuery(Request):
    """What a signed link carries. Without it, a link is as good as a forged one."""

    expires: Annotated[int, Field(ge=0, lt=10**12)] = 0  # seconds since 1970
    signature: Annotated[str, Field(max_length=64)] = ""  # in hex
