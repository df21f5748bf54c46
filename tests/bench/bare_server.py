"""An aiohttp server that does next to nothing: the alternative that ours is measured against. Prints its address."""

import asyncio
import signal

from aiohttp import web

EVENT = b"id: 1\ndata: " + b"x" * 300 + b"\n\n"


class Fanout:
    """Sends each event to every watcher, from memory."""

    def __init__(self) -> None:
        self._watchers: set[web.StreamResponse] = set()

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Hold a watcher's connection open."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._watchers.add(response)
        try:
            await asyncio.Event().wait()
        finally:
            self._watchers.discard(response)
        return response

    async def emit(self, _request: web.Request) -> web.Response:
        """Send one event to all."""
        for watcher in list(self._watchers):
            await watcher.write(EVENT)
        return web.json_response({})


async def health(_request: web.Request) -> web.Response:
    """Answer."""
    return web.json_response({"status": "ok"})


async def main() -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    fanout = Fanout()
    app = web.Application()
    app.add_routes(
        [web.get("/healthz", health), web.get("/v1/agent/events", fanout.follow), web.post("/emit", fanout.emit)]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
