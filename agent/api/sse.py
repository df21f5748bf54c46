"""Server-sent events, read from the store page by page: a slow client costs one page, never a growing buffer."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from agent.api.route import wait_for
from agent.api.services import services_of
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.events import Event

ReadPage = Callable[[int], Awaitable[Sequence[Event]]]
Number = Callable[[Event], int]
Ended = Callable[[], Awaitable[bool]]


async def stream_events(
    request: web.Request, *, after: int, number: Number, read_page: ReadPage, ended: Ended | None = None
) -> web.StreamResponse:
    """Send every event behind `after` as it comes; close when all are sent and `ended` says that no more come."""
    services = services_of(request)
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the client is gone, and comes back with the last id it has seen
        while True:
            news = services.store.bell.listen()  # before the look: what comes in between rings
            no_more = ended is not None and await ended()
            page = await read_page(after)
            if page:
                await response.write(b"".join(_frame(event, number(event)) for event in page))
                after = number(page[-1])
            elif no_more:
                break
            elif not await wait_for(news, services.keep_alive_s):
                await response.write(b": keep-alive\n\n")
    return response


def last_event_id(request: web.Request) -> int | None:
    """Return the number of the event that a reconnecting client saw last; None when it has seen none."""
    text = request.headers.get("Last-Event-ID")
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise AgentError(
            f"Last-Event-ID is {text[:60]!r}; it must be the id of an event of this stream, a whole number.",
            code=ErrorCode.invalid_request,
            param="Last-Event-ID",
        )
    return int(text)


def _frame(event: Event, number: int) -> bytes:
    return f"id: {number}\ndata: {event.model_dump_json()}\n\n".encode()
