"""An Ollama without models to run: a real aiohttp server on port 0 that follows the part of its API that we use.

It runs an event loop in a thread of its own, for callers that have none. What it follows: docs/api.md and
server/create.go of github.com/ollama/ollama. Switches make it refuse, break off or fall silent.
"""

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

VERSION = "0.30.0"
PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
NAME = re.compile(rf"(?:{PART}/)?{PART}(?::{PART})?")
Trouble = Literal["", "500", "error", "cut", "end", "silence", "lie"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """One model, as it was asked for."""

    name: str
    request: dict[str, Any]
    blob: str  # sha256:… of its GGUF

    @property
    def digest(self) -> str:
        """Equal for two names of one model, as that of a manifest is."""
        asked = {key: value for key, value in self.request.items() if key not in ("model", "stream")}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(kw_only=True)
class FakeOllama:
    """What it holds, what it was asked, and the switches of a test."""

    url: str = ""
    version: str = VERSION
    blobs: dict[str, int] = field(default_factory=dict)  # sha256:… → bytes
    models: dict[str, Made] = field(default_factory=dict)  # by name with tag
    asked: list[str] = field(default_factory=list)  # "POST /api/create"
    upload_trouble: Trouble = ""
    create_trouble: Trouble = ""
    copy_trouble: Trouble = ""

    def add(self, name: str, **request: Any) -> Made:
        """Store a model that somebody else made."""
        made = Made(name=name, request=request, blob="sha256:" + hashlib.sha256(name.encode()).hexdigest())
        self.models[name] = made
        return made

    def count(self, start: str) -> int:
        """Count the requests that began so."""
        return sum(line.startswith(start) for line in self.asked)

    # --- the routes

    def app(self) -> web.Application:
        """Return the server's routes."""
        app = web.Application(middlewares=[self._note], client_max_size=2**40)
        app.add_routes(
            [
                web.get("/api/version", self._version),
                web.head("/api/blobs/{digest}", self._has_blob),
                web.post("/api/blobs/{digest}", self._take_blob),
                web.post("/api/create", self._create),
                web.get("/api/tags", self._tags),
                web.post("/api/show", self._show),
                web.post("/api/copy", self._copy),
                web.delete("/api/delete", self._delete),
            ]
        )
        return app

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        response: web.StreamResponse = await handler(request)
        return response

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self.version})

    async def _has_blob(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if request.match_info["digest"] in self.blobs else 404)

    async def _take_blob(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["digest"]
        if self.upload_trouble:
            return await _in_trouble(request, self.upload_trouble)
        if wanted in self.blobs:
            return web.Response(status=200)
        sha256, size = hashlib.sha256(), 0
        async for chunk in request.content.iter_any():
            sha256.update(chunk)
            size += len(chunk)
        found = f"sha256:{sha256.hexdigest()}"
        if found != wanted:
            return _refuse(400, f'digest mismatch, expected "{wanted}", got "{found}"')
        self.blobs[found] = size
        return web.Response(status=201)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        name = _full(asked.get("model", ""))
        if not NAME.fullmatch(name):
            return _refuse(400, "invalid model name")
        if any(path.startswith("/") or ".." in path for path in asked.get("files", {})):
            return _refuse(400, "file path must be relative")
        if self.create_trouble == "500":
            return await _in_trouble(request, "500")
        stream = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await stream.prepare(request)
        await _line(stream, status="parsing GGUF")
        if self.create_trouble in ("error", "cut", "end", "silence"):
            return await _in_trouble(request, self.create_trouble, stream)
        digests = list(asked.get("files", {}).values())
        if not digests or digests[0] not in self.blobs:
            await _line(stream, error=f"open /root/.ollama/models/blobs/{digests}: no such file or directory")
            return stream
        await _line(stream, status=f"using existing layer {digests[0]}")
        await _line(stream, status="writing manifest")
        if self.create_trouble != "lie":
            self.models[name] = Made(name=name, request=asked, blob=digests[0])
        await _line(stream, status="success")
        return stream

    async def _tags(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"models": [{"name": made.name, "model": made.name, "size": 1, "digest": made.digest, "details": {}}
                        for made in self.models.values()]}
        )  # fmt: skip

    async def _show(self, request: web.Request) -> web.Response:
        name = _full((await request.json()).get("model", ""))
        made = self.models.get(name)
        if made is None:
            return _refuse(404, f"model '{name}' not found")
        path = f"/root/.ollama/models/blobs/{made.blob.replace(':', '-')}"
        text = f'# Modelfile generated by "ollama show"\n# FROM {name}\n\nFROM {path}\nTEMPLATE x\n'
        return web.json_response({"modelfile": text, "details": {}, "model_info": {}})

    async def _copy(self, request: web.Request) -> web.StreamResponse:
        if self.copy_trouble:
            return await _in_trouble(request, self.copy_trouble)
        asked = await request.json()
        source = self.models.get(_full(asked["source"]))
        if source is None:
            return _refuse(404, f'model "{asked["source"]}" not found')
        name = _full(asked["destination"])
        self.models[name] = Made(name=name, request=source.request, blob=source.blob)
        return web.Response(status=200)

    async def _delete(self, request: web.Request) -> web.Response:
        name = _full((await request.json()).get("model", ""))
        if self.models.pop(name, None) is None:
            return _refuse(404, f"model '{name}' not found")
        return web.Response(status=200)


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _refuse(status: int, error: str) -> web.Response:
    return web.json_response({"error": error}, status=status)


async def _line(stream: web.StreamResponse, **said: str) -> None:
    await stream.write(json.dumps(said).encode() + b"\n")


async def _in_trouble(
    request: web.Request, trouble: Trouble, stream: web.StreamResponse | None = None
) -> web.StreamResponse:
    if trouble == "silence":
        await asyncio.Event().wait()  # until the client hangs up, or the server ends
    if trouble == "cut":
        assert request.transport is not None
        request.transport.abort()
    if stream is None:
        return _refuse(500, "write /root/.ollama/models/blobs/x: no space left on device")
    if trouble == "error":
        await _line(stream, error="unsupported architecture")
    return stream


@contextmanager
def running_ollama(*more_hosts: str) -> Iterator[FakeOllama]:
    """Run one on 127.0.0.1, and with the same port on `more_hosts`, until the block ends."""
    ollama = FakeOllama()
    up, loop, over = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(ollama.app(), shutdown_timeout=0.05, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        for host in more_hosts:
            await web.TCPSite(runner, host, port).start()
        ollama.url = f"http://127.0.0.1:{port}"
        up.set()
        await over.wait()
        await runner.cleanup()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="fake-ollama")
    thread.start()
    try:
        if not up.wait(10):
            raise RuntimeError("the fake Ollama did not start")
        yield ollama
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
