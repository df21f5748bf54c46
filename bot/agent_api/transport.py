"""How an address is reached: over TCP, or through a socket file, which is where an ssh tunnel to the agent may end.

A new way is a new kind of address here; nothing else knows what lies between bot and agent.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import aiohttp

UNIX = "unix:"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the agent listens and the key to it. A restarted agent may have moved."""

    url: str  # http://host:port, https://…, or unix:/path/of/a/socket
    key: str

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, key=…)"


class Transport:
    """The connections to agents, one pool of them for each way there."""

    def __init__(self) -> None:
        self._sessions: dict[str, aiohttp.ClientSession] = {}  # by socket file; "" is TCP
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin with no connection."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._stack.aclose()

    async def way_to(self, address: Address) -> tuple[aiohttp.ClientSession, str]:
        """Return the session that reaches an address, and the URL that stands before a path there."""
        socket = address.url.removeprefix(UNIX) if address.url.startswith(UNIX) else ""
        if socket not in self._sessions:
            connector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector()
            self._sessions[socket] = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        return self._sessions[socket], "http://localhost" if socket else address.url
