"""The gateway: HELLO, IDENTIFY, READY, heartbeats, and RESUME with what was missed."""

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord_server.rules import Json
from tests.fakes.discord_server.world import GUILD, ME, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT


@dataclass(kw_only=True)
class Session:
    """What one login was told."""

    id: str
    events: list[tuple[int, str, Json]] = field(default_factory=list)


class Gateway:
    """At most one bot at a time."""

    def __init__(self, world: World, token_valid: Callable[[str], bool]) -> None:
        self.world = world
        self.url = ""
        self.identified: list[int] = []  # the intents of each login
        self.granted = 0  # privileged intents that are switched on in the Developer Portal
        self.resumed = 0
        self.heartbeats = 0
        self._token_valid = token_valid
        self._sessions: dict[str, Session] = {}
        self._session: Session | None = None
        self._socket: web.WebSocketResponse | None = None
        self._request: web.Request | None = None
        self._numbers = itertools.count(1)

    @property
    def told(self) -> list[tuple[int, str, Json]]:
        """Return what the bot was told since it logged in."""
        return self._session.events if self._session is not None else []

    @property
    def connected(self) -> bool:
        return self._socket is not None and self._session is not None

    async def dispatch(self, event: str, data: Json) -> None:
        """Tell the bot, now or when it resumes."""
        assert self._session is not None, "the bot never logged in"
        number = len(self._session.events) + 1
        self._session.events.append((number, event, data))
        if self._socket is not None:
            with suppress(ConnectionError):
                await _send(self._socket, DISPATCH, data, s=number, t=event)

    def drop(self) -> None:
        """Let the line go dead."""
        assert self._request is not None
        assert self._request.transport is not None
        self._socket = None
        self._request.transport.abort()

    async def close(self, code: int) -> None:
        assert self._socket is not None
        socket, self._socket = self._socket, None
        await socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        assert self._socket is not None
        await _send(self._socket, RECONNECT, None)

    async def invalidate(self) -> None:
        """Forget the session."""
        assert self._socket is not None
        self._sessions.clear()
        await _send(self._socket, INVALID, False)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Speak with one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _send(socket, HELLO, {"heartbeat_interval": 41_250})
        with suppress(ConnectionError):
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._heard(request, socket, json.loads(message.data))
        if self._socket is socket:
            self._socket = None
        return socket

    async def _heard(self, request: web.Request, socket: web.WebSocketResponse, said: Json) -> None:
        op, data = said["op"], said["d"]
        if op == HEARTBEAT:
            self.heartbeats += 1
            await _send(socket, ACK, None)
        elif op in {IDENTIFY, RESUME} and not self._token_valid(data["token"]):
            await socket.close(code=4004, message=b"Authentication failed.")
        elif op == IDENTIFY:
            await self._identify(request, socket, data)
        elif op == RESUME:
            await self._resume(request, socket, data)

    async def _identify(self, request: web.Request, socket: web.WebSocketResponse, data: Json) -> None:
        if data["intents"] & PRIVILEGED & ~self.granted:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return
        session = self._session = Session(id=f"session-{next(self._numbers)}")
        self._sessions[session.id] = session
        self._socket, self._request = socket, request
        ready = {
            "v": 10, "user": self.world.me, "guilds": [{"id": str(GUILD), "unavailable": True}],
            "session_id": session.id, "resume_gateway_url": self.url, "application": {"id": str(ME), "flags": 0},
        }  # fmt: skip
        await self.dispatch("READY", ready)
        await self.dispatch("GUILD_CREATE", self.world.guild_json())
        self.identified.append(data["intents"])

    async def _resume(self, request: web.Request, socket: web.WebSocketResponse, data: Json) -> None:
        session = self._sessions.get(data["session_id"])
        if session is None:
            await _send(socket, INVALID, False)
            return
        self.resumed += 1
        self._socket, self._request, self._session = socket, request, session
        for number, event, missed in session.events:
            if number > data["seq"]:
                await _send(socket, DISPATCH, missed, s=number, t=event)
        await self.dispatch("RESUMED", {})


async def _send(socket: web.WebSocketResponse, op: int, data: Any, **more: Any) -> None:
    await socket.send_str(json.dumps({"op": op, "d": data, "s": more.get("s"), "t": more.get("t")}))
    await asyncio.sleep(0)
