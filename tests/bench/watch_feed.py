"""Many watchers of the agent's feed in one process: `python -m tests.bench.watch_feed URL KEY WATCHERS EVENTS`.

Prints a line when all are connected, and one with the moment at which each had all events.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

MARK = b"\nid: "  # each event has it once: JSON has no bare newline


async def watch(url: str, key: str, events: int, connected: asyncio.Semaphore) -> float:
    """Follow the feed until so many events have come; return when that was."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET /v1/agent/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(head.decode())
    connected.release()
    seen, rest = 0, b""
    while seen < events:
        chunk = await reader.read(1 << 16)
        if not chunk:
            raise RuntimeError(f"closed after {seen} events")
        text = rest + chunk
        seen += text.count(MARK)
        rest = text[-(len(MARK) - 1) :]
    done = time.perf_counter()
    writer.close()
    return done


async def main() -> None:
    """Connect all, then wait for all."""
    url, key, watchers, events = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    connected = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(watch(url, key, events, connected)) for _ in range(watchers)]
    for _ in range(watchers):
        await connected.acquire()
    print("connected", flush=True)
    print(json.dumps(await asyncio.gather(*tasks)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
