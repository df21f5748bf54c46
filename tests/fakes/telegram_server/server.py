"""The wire: requests to methods, updates with offsets, files with expiring paths, and what goes wrong on the way."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import MultipartReader, StreamReader, web

from tests.fakes.telegram_server.messages import AS_GROUP, Chats, Json, Shown
from tests.fakes.telegram_server.methods import Fields, Methods, Upload
from tests.fakes.telegram_server.rules import Flood, RefusedError

TOKEN = "4242:AAG-a-token-for-tests"
ME = {
    "id": 4242, "is_bot": True, "first_name": "Hearth", "username": "hearth_bot", "can_join_groups": True,
    "can_read_all_group_messages": False, "supports_inline_queries": False,
}  # fmt: skip


@dataclass(kw_only=True)
class Fault:
    """What the next call of a method meets."""

    method: str
    status: int | None = None  # None: the connection breaks
    done: bool = False  # it is carried out all the same
    retry_after: int | None = None


class FakeTelegram:
    """A Bot API server with one bot."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.world = Chats()
        self.flood = Flood(clock=clock)
        self.methods = Methods(self.world, self.flood, ME)
        self.updates: list[Json] = []  # not confirmed
        self.everything = False  # deliver also what the bot did not ask for
        self.token_valid = True
        self.faults: list[Fault] = []
        self.called: list[str] = []
        self.downloads = 0
        self.url = ""
        self._next_update = 100
        self._news = asyncio.Event()
        self._polls = 0
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", r"/bot{token:[^/]+}/{method}", self._call)
        app.router.add_get(r"/file/bot{token:[^/]+}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self._polls += 1
        self._news.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        await self.start(int(self.url.rpartition(":")[2]))

    # --- what tests do

    def fail(self, method: str, *, times: int = 1, **how: Any) -> None:
        self.faults += [Fault(method=method, **how) for _ in range(times)]

    def deliver(self, kind: str, body: Json) -> int:
        """Give the bot an update; return its id."""
        self._next_update += 1
        self.updates.append({"update_id": self._next_update, kind: body})
        self._news.set()
        return self._next_update

    def replay(self, update: Json) -> None:
        """Deliver an update once more, as after a confirmation that got lost."""
        self.updates.insert(0, update)
        self._news.set()

    def upgrade(self, chat: int, to: int, *, said: bool = True) -> int:
        """Make a group a supergroup, which both of them say; return its id. https://core.telegram.org/bots/api#chat."""
        old = self.world.chats[chat]
        self.world.chats[to] = {**old, "id": to, "type": "supergroup"}
        self.methods.moved[chat] = to
        if said:
            for where, more in ((chat, {"migrate_to_chat_id": to}), (to, {"migrate_from_chat_id": chat})):
                message = {"message_id": self.world.next_id(), "date": int(self.clock()), "from": AS_GROUP}
                shown_in = {"chat": self.world.chats[where], "sender_chat": self.world.chats[where]}
                self.deliver("message", {**message, **shown_in, **more})
        return to

    def messages(self, chat: int) -> list[Shown]:
        """Return what the bot has sent there, as it reads now."""
        return [message for message in self.world.of(chat) if message.author == ME]

    def transcript(self, chat: int) -> str:
        return self.world.transcript(chat)

    # --- the wire

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        self.called.append(name)
        try:
            if request.match_info["token"] != TOKEN or not self.token_valid:
                raise RefusedError(401, "Unauthorized")
            fields, uploads = await _read(request)
            fault = next((fault for fault in self.faults if fault.method in {name, "*"}), None)
            if fault is None:
                return _ok(await self._result(name, fields, uploads))
            self.faults.remove(fault)
            if fault.done:
                await self._result(name, fields, uploads)
            if fault.status is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            more = {"retry_after": fault.retry_after} if fault.retry_after else {}
            raise RefusedError(fault.status, "Too Many Requests" if more else "Internal Server Error", **more)
        except RefusedError as error:
            body: Json = {"ok": False, "error_code": error.status, "description": error.description}
            if error.parameters:
                body["parameters"] = error.parameters
            return web.json_response(body, status=error.status)

    async def _result(self, name: str, fields: Fields, uploads: dict[str, Upload]) -> Any:
        if name == "getUpdates":
            return await self._get_updates(fields)
        method = getattr(self.methods, re.sub(r"(?=[A-Z])", "_", name).lower(), None)
        if method is None:
            raise RefusedError(404, "Not Found")
        return method(fields, uploads)

    async def _get_updates(self, fields: Fields) -> list[Json]:
        if "offset" in fields:
            self.updates = [update for update in self.updates if update["update_id"] >= int(fields["offset"])]
        self._polls += 1
        self._news.set()  # a poll that still waits is cut off, as Telegram does it
        mine = self._polls
        await asyncio.sleep(0)
        allowed = fields.get("allowed_updates", "")
        try:
            async with asyncio.timeout(int(fields.get("timeout", "0"))):
                while True:
                    self.updates = [it for it in self.updates if self.everything or list(it)[1] in allowed]
                    if self.updates:
                        return list(self.updates)
                    self._news.clear()
                    await self._news.wait()
                    if mine != self._polls:
                        raise RefusedError(409, "Conflict: terminated by other getUpdates request")
        except TimeoutError:
            return []

    async def _download(self, request: web.Request) -> web.Response:
        file_id, until = self.methods.paths.get(request.match_info["path"], ("", 0.0))
        if request.match_info["token"] != TOKEN or self.clock() > until or file_id not in self.world.files:
            return web.Response(status=404)
        self.downloads += 1
        return web.Response(body=self.world.files[file_id].content)


@asynccontextmanager
async def running_telegram(clock: Callable[[], float]) -> AsyncIterator[FakeTelegram]:
    """Run a server until the end of the block."""
    server = FakeTelegram(clock)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _read(request: web.Request) -> tuple[Fields, dict[str, Upload]]:
    if not request.content_type.startswith("multipart/"):
        return {name: str(value) for name, value in (await request.post()).items()}, {}
    # Whole before it is parsed: aiohttp 3.14 warns of itself when a boundary arrives in two pieces.
    body = StreamReader(request.protocol, 2**30, loop=asyncio.get_running_loop())
    body.feed_data(await request.read())
    body.feed_eof()
    fields: Fields = {}
    uploads: dict[str, Upload] = {}
    async for part in MultipartReader(request.headers, body):
        name, content = str(part.name), bytes(await part.read())  # type: ignore[union-attr]
        if part.filename:  # type: ignore[union-attr]
            uploads[name] = (part.filename, content)  # type: ignore[union-attr]
        else:
            fields[name] = content.decode()
    return fields, uploads


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})
