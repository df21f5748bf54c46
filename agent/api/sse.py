"""Server-sent events, read from the store page by page: a slow client costs one page, never a growing buffer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from agent.api.authorization import still_permitted
from agent.api.route import wait_for
from agent.api.services import services_of
from agent.errors import AgentError
from agent.store.events import Page
from shared.errors import ErrorCode
from shared.events import Event

ReadPage = Callable[[int], Awaitable[Page]]
Number = Callable[[Event], int]
Ended = Callable[[], Awaitable[bool]]


class SharedPages:
    """One read and one encoding for all watchers who stand at the same place.

    Only those who listened to the same bell share a read: it begins after all that was committed before that.
    """

    def __init__(self) -> None:
        self._reads: dict[tuple[asyncio.Event, str, int], asyncio.Task[tuple[bytes, int]]] = {}

    async def page(
        self, news: asyncio.Event, feed: str, *, after: int, number: Number, read_page: ReadPage
    ) -> tuple[bytes, int]:
        """Return the frames of the next page behind `after`, and the number of its last event."""
        key = (news, feed, after)
        if key not in self._reads:
            self._reads[key] = asyncio.create_task(_read(after, number, read_page))
            self._reads[key].add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(self._reads[key])  # a client that leaves takes nothing from the others


async def _read(after: int, number: Number, read_page: ReadPage) -> tuple[bytes, int]:
    page = await read_page(after)
    return b"".join(_frame(event, number(event)) for event in page.events), page.upto


PAGES = web.AppKey("pages", SharedPages)


async def stream_events(
    request: web.Request,
    *,
    feed: str,
    after: int,
    number: Number,
    read_page: ReadPage,
    ended: Ended | None = None,
) -> web.StreamResponse:
    """Send every event behind `after` as it comes; close when all are sent and `ended` says that no more come.

    `feed` names what is read: those who read the same share the work.
    """
    services = services_of(request)
    loop = asyncio.get_running_loop()
    checked_at = loop.time()
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the client is gone, and comes back with the last id it has seen
        while True:
            if loop.time() - checked_at >= services.keep_alive_s:
                checked_at = loop.time()
                if not await still_permitted(request):
                    break
            news = services.store.bell.listen()  # before the look: what comes in between rings
            no_more = ended is not None and await ended()
            frames, newest = await request.app[PAGES].page(news, feed, after=after, number=number, read_page=read_page)
            moved, after = newest > after, newest
            if frames:
                await response.write(frames)
            elif moved:
                continue
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
