"""The ways to an agent: TCP, and a socket file with something behind it that passes bytes on, as an ssh tunnel does."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.errors import AgentUnreachableError
from tests.bot.harness import FakeClock
from tests.fakes.agent_server import KEY, FakeAgent


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(1 << 16):
        writer.write(block)
        await writer.drain()
    writer.close()


async def open_tunnel(socket: Path, to: str) -> asyncio.Server:
    """Pass on what comes through a socket file to a port, and back."""
    target = urlsplit(to)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(pass_on(reader, to_there), pass_on(there, writer), return_exceptions=True)

    return await asyncio.start_unix_server(connected, socket)


async def test_the_agent_is_asked_and_followed_through_a_socket_file(agent: FakeAgent, tmp_path: Path) -> None:
    socket = tmp_path / "agent.sock"
    job = agent.add_job(suffix="through")
    agent.step(job.id, 1)
    async with AsyncExitStack() as stack:
        tunnel = await open_tunnel(socket, agent.url)
        stack.callback(tunnel.close)
        transport = await stack.enter_async_context(Transport())
        address = Address(url=f"unix:{socket}", key=KEY)
        client = AgentClient(lambda _who: address, transport=transport, clock=FakeClock())
        assert (await client.job(job.id)).suffix == "through"
        async with client.feed(after=0) as events:
            assert (await anext(events)).job_id == job.id


async def test_a_socket_file_without_a_tunnel_is_an_agent_out_of_reach(tmp_path: Path) -> None:
    address = Address(url=f"unix:{tmp_path / 'gone.sock'}", key=KEY)
    async with Transport() as transport:
        client = AgentClient(lambda _who: address, transport=transport, clock=FakeClock())
        with pytest.raises(AgentUnreachableError, match=r"gone\.sock"):
            await client.info()


async def test_one_transport_reaches_an_agent_that_has_moved(agent: FakeAgent, tmp_path: Path) -> None:
    socket = tmp_path / "agent.sock"
    async with AsyncExitStack() as stack:
        tunnel = await open_tunnel(socket, agent.url)
        stack.callback(tunnel.close)
        transport = await stack.enter_async_context(Transport())
        addresses = iter([agent.url, f"unix:{socket}", agent.url])
        client = AgentClient(lambda _who: Address(url=next(addresses), key=KEY), transport=transport, clock=FakeClock())
        assert [(await client.info()).paused for _ in range(3)] == [False, False, False]
