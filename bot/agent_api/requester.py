"""Requests to the agent in somebody's name, their answers read: what every route of it has in common."""

import copy
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self, TypeVar

import aiohttp
from pydantic import BaseModel

from bot.agent_api.transport import Address, Transport
from bot.agent_api.wire import Wire, read
from bot.core.clock import Clock
from bot.errors import AgentRefusedError
from bot.kept.chat_moves import Moves
from shared.errors import ErrorCode
from shared.language import spoken
from shared.people import HEADER, ChatMove, ChatMoved, RequestedBy, header_of

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)

PASSING = (ErrorCode.store_unavailable, ErrorCode.insufficient_disk)  # refusals that are none once that is mended


class AgentRequester:
    """Asks one agent, for the bot itself or on behalf of a person."""

    def __init__(
        self,
        address: Callable[[RequestedBy | None], Address],
        *,
        transport: Transport,
        clock: Clock,
        moves: Moves | None = None,
    ) -> None:
        self._address = address  # where the agent is now, and the key for who asks: read again for each request
        self._wire = Wire(transport=transport, clock=clock)
        self._moves = moves  # of the chats that people ask from; None: of those that never move
        self._asked_by: RequestedBy | None = None  # None: the bot itself

    def on_behalf_of(self, person: RequestedBy) -> Self:
        """Return a client of the same agent whose every request is this person's."""
        return self._asking_for(person)

    @property
    def lost_since(self) -> float | None:
        """When the agent was heard last, seconds since 1970; None while it answers."""
        return self._wire.lost_since

    def _asking_for(self, person: RequestedBy | None) -> Self:
        client = copy.copy(self)
        client._asked_by = person  # noqa: SLF001 -- of a copy of itself
        return client

    @property
    def _person(self) -> RequestedBy | None:
        """Return who asks, in the chat where it is now."""
        if self._asked_by is None or self._moves is None:
            return self._asked_by
        return self._moves.person(self._asked_by)

    async def _get(self, path: str, model: type[T]) -> T:
        async with self._ask("GET", path) as response:
            return await read(response, model)

    async def _post(
        self,
        path: str,
        body: BaseModel,
        model: type[T],
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
    ) -> T:
        async with self._posted(path, body, headers=headers, patience_s=patience_s) as response:
            return await read(response, model)

    @asynccontextmanager
    async def _posted(
        self, path: str, body: BaseModel, *, headers: dict[str, str] | None = None, patience_s: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self._person is not None:
            body = body.model_copy(update={"requested_by": self._person})
        data = body.model_dump_json(exclude_none=True, exclude_unset=True)  # the defaults are the agent's
        async with self._ask("POST", path, data=data, headers=headers, patience_s=patience_s) as response:
            yield response

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        path: str,
        *,
        data: aiohttp.FormData | str | None = None,
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        named = {HEADER: header_of(self._person)} if self._person is not None else {}  # as in the body
        await self._tell_moves()
        headers = {**(headers or {}), **named, "Accept-Language": spoken()}
        address = self._address(self._person)
        async with self._wire.ask(address, method, path, data=data, headers=headers, patience_s=patience_s) as response:
            yield response

    async def _tell_moves(self) -> None:
        """Tell the agent which chats have moved since it was told last. Raises AgentUnreachableError."""
        if self._moves is None:
            return
        for move in self._moves.untold():
            body = ChatMove(platform=move.platform, chat=move.chat_id, to=move.to_id).model_dump_json(exclude_none=True)
            headers = {"Content-Type": "application/json"}
            try:
                async with self._wire.ask(
                    self._address(None), "POST", "/v1/chats/moves", data=body, headers=headers
                ) as response:
                    await read(response, ChatMoved)
            except AgentRefusedError as error:
                logger.warning("the agent does not move chat %s to %s: %s", move.chat_id, move.to_id, error)
                if error.code not in PASSING:
                    self._moves.leave(move)
            else:
                self._moves.told(move)
