"""The wire: HTTP with Discord's exact headers, the gateway and the CDN, and faults on demand."""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import MultipartReader, StreamReader, web

from tests.fakes.discord_server.gateway import Gateway
from tests.fakes.discord_server.interactions import Interactions
from tests.fakes.discord_server.rest import Rest, Uploads
from tests.fakes.discord_server.rules import Flood, Json, RefusedError
from tests.fakes.discord_server.world import GUILD, ME, Shown, World

TOKEN = "NDI0Mg.a-token.for-tests"
API = "/api/v10"


@dataclass(kw_only=True)
class Fault:
    """What the next request of a kind meets."""

    method: str
    path: str  # a pattern
    status: int | None = None  # None: the connection breaks
    code: int = 0
    done: bool = False  # it is carried out all the same
    retry_after: float | None = None


class FakeDiscord:
    """Discord with one bot and one server of people."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.world = World(clock)
        self.flood = Flood(clock=clock)
        self.gateway = Gateway(self.world, lambda token: token == TOKEN and self.token_valid)
        self.rest = Rest(self.world, self.flood, self._tell)
        self.interactions = Interactions(self.world, self.rest)
        self.token_valid = True
        self.faults: list[Fault] = []
        self.called: list[str] = []
        self.downloads = 0
        self.api_base = ""
        self.gateway_url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/cdn/{file}/{name}", self._download)
        app.router.add_route("*", API + "/{path:.+}", self._api)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        here = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.world.url, self.api_base = f"http://{here}", f"http://{here}{API}"
        self.gateway_url = self.gateway.url = f"ws://{here}/gateway"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        await self.start(int(self.world.url.rpartition(":")[2]))

    # --- what tests do

    def fail(self, method: str, path: str, *, times: int = 1, **how: Any) -> None:
        self.faults += [Fault(method=method, path=path, **how) for _ in range(times)]

    def messages(self, channel: int) -> list[Shown]:
        """Return what the bot has sent there, as it reads now."""
        return [message for message in self.world.of(channel) if message.author == self.world.me]

    async def _tell(self, event: str, data: Json) -> None:
        if self.gateway.connected:
            await self.gateway.dispatch(event, data)

    # --- the wire

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        self.called.append(f"{request.method} {path}")
        try:
            body, uploads = await _read(request)
            self._authorize(request, path)
            fault = next((it for it in self.faults if _meets(it, request.method, path)), None)
            if fault is None:
                return _json(await self._result(request.method, path, body, uploads))
            self.faults.remove(fault)
            if fault.done:
                await self._result(request.method, path, body, uploads)
            if fault.status is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            raise RefusedError(fault.status, fault.code, "As the test wanted it", retry_after=fault.retry_after)
        except RefusedError as error:
            more = {} if error.retry_after is None else {"Via": "1.1 fake", "Retry-After": str(error.retry_after)}
            return _json(error.body(), status=error.status, headers=more)

    def _authorize(self, request: web.Request, path: str) -> None:
        by_token = path.startswith(("/webhooks/", "/interactions/"))
        if not by_token and (request.headers.get("Authorization") != f"Bot {TOKEN}" or not self.token_valid):
            raise RefusedError(401, 0, "401: Unauthorized")

    async def _result(self, method: str, path: str, body: Any, uploads: Uploads) -> Any:
        for wanted, pattern, handler in self._routes():
            found = re.fullmatch(pattern, path)
            if wanted == method and found is not None:
                words = {key: int(it) if it.isdecimal() and key != "message" else it for key, it in
                         found.groupdict().items()}  # fmt: skip
                given = {"body": body, "uploads": uploads, **words}
                names = inspect.signature(handler).parameters
                result = handler(**{name: given[name] for name in names})
                return await result if inspect.isawaitable(result) else result
        raise RefusedError(404, 0, "404: Not Found")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        rest, interactions = self.rest, self.interactions
        channel, one = r"/channels/(?P<channel_id>\d+)", r"/messages/(?P<message_id>\d+)"
        hook, sent = rf"/webhooks/{ME}/(?P<token>[^/]+)", r"/messages/(?P<message>@original|\d+)"
        return [
            ("GET", "/users/@me", lambda: self.world.me),
            ("GET", "/(?:oauth2/)?applications/@me", self._application),
            ("GET", "/gateway(?:/bot)?", lambda: {"url": self.gateway_url, "shards": 1}),
            ("PUT", rf"/applications/{ME}/commands", rest.put_commands),
            ("POST", "/users/@me/channels", rest.open_direct),
            ("GET", rf"/guilds/{GUILD}/members/(?P<person_id>\d+)", rest.get_member),
            ("GET", channel, rest.get_channel),
            ("PATCH", channel, rest.patch_channel),
            ("POST", f"{channel}/messages", rest.post),
            ("GET", channel + one, rest.get),
            ("PATCH", channel + one, rest.edit),
            ("DELETE", channel + one, rest.delete),
            ("POST", f"{channel}{one}/threads", rest.start_thread),
            ("POST", r"/interactions/(?P<interaction_id>\d+)/(?P<token>[^/]+)/callback", interactions.callback),
            ("POST", hook, interactions.follow_up),
            ("GET", hook + sent, interactions.get),
            ("PATCH", hook + sent, interactions.edit),
            ("DELETE", hook + sent, interactions.delete),
        ]

    def _application(self) -> Json:
        return {
            "id": str(ME), "name": "Hearth", "icon": None, "description": "", "rpc_origins": [], "bot_public": False,
            "bot_require_code_grant": False, "owner": self.world.me, "verify_key": "", "team": None, "flags": 0,
            "summary": "",
        }  # fmt: skip

    async def _download(self, request: web.Request) -> web.Response:
        query = request.query
        file = self.world.file_at(int(request.match_info["file"]), query.get("ex", "0"), query.get("hm", ""))
        if file is None:
            return web.Response(status=404, text="This content is no longer available.")
        self.downloads += 1
        return web.Response(body=file.content)


def _meets(fault: Fault, method: str, path: str) -> bool:
    return fault.method in {method, "*"} and re.search(fault.path, path) is not None


@asynccontextmanager
async def running_discord(clock: Callable[[], float]) -> AsyncIterator[FakeDiscord]:
    """Run a server until the end of the block."""
    server = FakeDiscord(clock)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _read(request: web.Request) -> tuple[Any, Uploads]:
    raw = await request.read()
    if not request.content_type.startswith("multipart/"):
        return (json.loads(raw) if raw else {}), {}
    # Whole before it is parsed: aiohttp 3.14 warns of itself when a boundary arrives in two pieces.
    stream = StreamReader(request.protocol, 2**30, loop=asyncio.get_running_loop())
    stream.feed_data(raw)
    stream.feed_eof()
    body: Any = {}
    uploads: Uploads = {}
    async for part in MultipartReader(request.headers, stream):
        content = bytes(await part.read())  # type: ignore[union-attr]
        found = re.fullmatch(r"files\[(\d+)\]", str(part.name))  # type: ignore[union-attr]
        if found is not None:
            uploads[int(found[1])] = (part.filename or "file", content)  # type: ignore[union-attr]
        else:
            body = json.loads(content)
    return body, uploads


def _json(result: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    if result is None:
        return web.Response(status=204)
    headers = {"Content-Type": "application/json", **(headers or {})}  # with a charset discord.py takes it for text
    return web.Response(body=json.dumps(result).encode(), status=status, headers=headers)
