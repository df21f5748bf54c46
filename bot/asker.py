"""Requests to the agent in somebody's name, their answers read: what every route of it has in common."""

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self, TypeVar

import aiohttp
from pydantic import BaseModel

from bot.clock import Clock
from bot.wire import Address, Wire, read
from shared.language import spoken
from shared.people import HEADER, RequestedBy, header_of

T = TypeVar("T", bound=BaseModel)


class Asker:
    """Asks one agent, for the bot itself or on behalf of a person."""

    def __init__(
        self, address: Callable[[RequestedBy | None], Address], *, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._address = address  # where the agent is now, and the key for who asks: read again for each request
        self._wire = Wire(session=session, clock=clock)
        self._person: RequestedBy | None = None  # None: the bot itself

    def on_behalf_of(self, person: RequestedBy) -> Self:
        """Return a client of the same agent whose every request is this person's."""
        return self._asking_for(person)

    @property
    def lost_since(self) -> float | None:
        """When the agent was heard last, seconds since 1970; None while it answers."""
        return self._wire.lost_since

    def _asking_for(self, person: RequestedBy | None) -> Self:
        client = copy.copy(self)
        client._person = person  # noqa: SLF001 -- of a copy of itself
        return client

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
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self._person is not None:
            body = body.model_copy(update={"requested_by": self._person})
        data = body.model_dump_json(exclude_none=True)
        async with self._ask("POST", path, data=data, headers=headers, patience_s=patience_s) as response:
            return await read(response, model)

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
        named = {HEADER: header_of(self._person)} if self._person is not None else {}
        headers = {**(headers or {}), **named, "Accept-Language": spoken()}
        address = self._address(self._person)
        async with self._wire.ask(address, method, path, data=data, headers=headers, patience_s=patience_s) as response:
            yield response
