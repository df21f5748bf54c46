"""HTTP to the agent: the request on the wire, its refusal or silence as an error. Used by `client` alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from pydantic import BaseModel, ValidationError

from bot.agent_api.transport import Address, Transport
from bot.core.clock import Clock
from bot.errors import AgentRefusedError, AgentUnreachableError, BadCallError
from bot.words.format import clock_time
from shared.errors import ErrorBody, ErrorCode
from shared.language import _

T = TypeVar("T", bound=BaseModel)

CONNECT_S = 3.0
SILENCE_S = 40.0  # longest gap we accept in an answer; above the 25 s of a long poll and any keep-alive
GATEWAY = {502, 503, 504}  # what a proxy in between answers while the PC sleeps


def _timeout(silence_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)


TIMEOUT = _timeout(SILENCE_S)


def path(route: str, *words: str, **query: object) -> str:
    """Return a path and its query. Words, which people may have typed, name one segment each and reach nowhere else."""
    for word in words:
        if word in {"", ".", ".."}:  # no escape keeps these from being taken for a way up
            raise BadCallError(_("“{word}” is the name of nothing that the agent has.", word=word))
    segments = "/".join([route, *(quote(word, safe="") for word in words)])
    return f"{segments}?{urlencode(query)}" if query else segments


class Wire:
    """The connection to one agent. It remembers since when the agent has not answered: all say the same time."""

    def __init__(self, *, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self.lost_since: float | None = None  # when it was heard last, seconds since 1970; None while it answers
        self._heard_at: float | None = None

    @asynccontextmanager
    async def ask(
        self,
        address: Address,
        method: str,
        path: str,
        *,
        data: aiohttp.FormData | str | None = None,
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a request; raise AgentUnreachableError or AgentRefusedError unless it is answered well."""
        timeout = TIMEOUT if patience_s is None else _timeout(patience_s)
        headers = {"Authorization": f"Bearer {address.key}", **(headers or {})}
        session, base = await self._transport.way_to(address)
        try:
            async with session.request(method, base + path, data=data, headers=headers, timeout=timeout) as response:
                if response.status in GATEWAY and response.content_type != "application/json":
                    raise self._unreachable(address.url)
                self.heard()
                if response.status >= 400:
                    raise await _refusal(response, address.url)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as cause:
            raise self._unreachable(address.url) from cause

    def heard(self) -> None:
        """Note that the agent has just answered."""
        self.lost_since = None
        self._heard_at = self._clock.now()

    def _unreachable(self, url: str) -> AgentUnreachableError:
        now = self._clock.now()
        self.lost_since = self.lost_since or self._heard_at or now
        return AgentUnreachableError(
            _(
                "I cannot reach the agent at {url} since {time}.\nIs that PC awake? If so, start "
                "`hearth-agent` on it. I keep trying and go on by myself.",
                url=url,
                time=clock_time(self.lost_since, now=now),
            )
        )


async def read(response: aiohttp.ClientResponse, model: type[T]) -> T:
    """Return an answer's body as what it should be; raise AgentRefusedError if it is not that."""
    return parse(await response.read(), model)


def parse(body: bytes, model: type[T]) -> T:
    """Return what some bytes should be; raise AgentRefusedError if they are not that."""
    try:
        return model.model_validate_json(body)
    except ValidationError as cause:
        raise AgentRefusedError(
            _(
                "The agent's answer is not a {kind} that I know. Bot and agent may be of different "
                "versions: update both.",
                kind=model.__name__,
            ),
            code=ErrorCode.internal,
        ) from cause


async def _refusal(response: aiohttp.ClientResponse, url: str) -> AgentRefusedError:
    body = await response.read()
    try:
        error = ErrorBody.model_validate_json(body).error
    except ValidationError:
        return AgentRefusedError(
            _(
                "{url} answered {status} and no reason. Is that a Hearth agent? Look at HEARTH_AGENT_URL.",
                url=url,
                status=response.status,
            ),
            code=ErrorCode.internal,
        )
    if error.code is ErrorCode.invalid_key:
        return AgentRefusedError(
            _(
                "The agent at {url} does not accept my key. On the GPU machine, bot.key in its data folder holds one, "
                "and “hearth-agent key add” makes another: set it as HEARTH_AGENT_KEY.",
                url=url,
            ),
            code=error.code,
        )
    return AgentRefusedError(error.message, code=error.code, param=error.param, alternatives=error.alternatives)
