"""An answer as it is said: OpenAI's chat.completion.chunk as server-sent events.

What goes wrong before the first word is an error like any other; after it, the last event says so.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from agent.chat.protocol import ModelReply
from agent.data.masked_stream import MaskedStream
from agent.errors import AgentError
from shared.chat import ChatChunk, ChunkChoice, ChunkDelta, FinishReason, Usage
from shared.errors import ErrorBody, ErrorDetail

Ask = Callable[[Callable[[str], None]], Awaitable[ModelReply]]


class ChatStream:
    """One answer on its way to one client."""

    def __init__(self, *, id: str, model: str, created: int, mask: bool, with_usage: bool) -> None:
        """`mask`: a person reads it, so personal data and secrets are masked."""
        self._chunk = ChatChunk(id=id, model=model, created=created, choices=[])
        self._masked = MaskedStream() if mask else None
        self._with_usage = with_usage

    async def send(self, request: web.Request, ask: Ask) -> web.StreamResponse:
        """Ask, and send each piece as it comes. Raises AgentError while nothing was sent."""
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        asking = asyncio.ensure_future(ask(pieces.put_nowait))
        asking.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            first = await pieces.get()
            if first is None:
                await asking  # raises what went wrong, if anything did
            response = _opened()
            await response.prepare(request)
            with contextlib.suppress(ConnectionResetError):  # whoever asked is gone
                await self._send(response, first, pieces, asking)
            return response
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, AgentError):
                await asking

    async def _send(
        self,
        response: web.StreamResponse,
        first: str | None,
        pieces: "asyncio.Queue[str | None]",
        asking: "asyncio.Future[ModelReply]",
    ) -> None:
        await response.write(self._event(ChunkDelta(role="assistant", content="")))
        said_something, piece = first is not None, first
        while piece is not None:
            if shown := self._masked.feed(piece) if self._masked is not None else piece:
                await response.write(self._event(ChunkDelta(content=shown)))
            piece = await pieces.get()
        try:
            reply = await asking
        except AgentError as error:
            await response.write(_data(ErrorBody(error=_detail(error)).model_dump_json(exclude_none=True)))
            return
        whole = "" if said_something else reply.text  # a model that called tools says all at once
        rest = self._masked.feed(whole) + self._masked.end() if self._masked is not None else whole
        if rest:
            await response.write(self._event(ChunkDelta(content=rest)))
        if reply.tool_calls:
            await response.write(self._event(ChunkDelta(tool_calls=reply.tool_calls)))
        await response.write(self._event(ChunkDelta(), finish=reply.finish_reason))
        if self._with_usage:
            usage = Usage(
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
                total_tokens=reply.prompt_tokens + reply.completion_tokens,
            )
            await response.write(_data(self._chunk.model_copy(update={"usage": usage}).model_dump_json()))
        await response.write(_data("[DONE]"))

    def _event(self, delta: ChunkDelta, *, finish: FinishReason | None = None) -> bytes:
        choice = ChunkChoice(delta=delta, finish_reason=finish)
        chunk = self._chunk.model_copy(update={"choices": [choice]})
        said = chunk.model_dump_json(exclude={"usage"}, exclude_none=finish is None)
        return _data(said)


def _opened() -> web.StreamResponse:
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    return response


def _data(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def _detail(error: AgentError) -> ErrorDetail:
    kind = "server_error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return ErrorDetail(message=error.message, type=kind, code=error.code, param=error.param)
