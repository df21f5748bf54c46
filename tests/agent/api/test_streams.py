"""Server-sent events: replayed, complete, ended."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientResponse

from agent.settings import AgentSettings
from shared.events import Event
from tests.agent.running_agent import Agent, run_agent
from tests.fakes.trainer import STEPS

pytestmark = pytest.mark.process


async def read_events(response: ClientResponse, *, count: int | None = None) -> list[tuple[int, Event]]:
    """Read `count` events, or all until the server ends the stream."""
    found: list[tuple[int, Event]] = []
    number = 0
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            number = int(line.removeprefix("id: "))
        elif line.startswith("data: "):
            found.append((number, Event.model_validate_json(line.removeprefix("data: "))))
            if len(found) == count:
                break
    return found


async def stream(
    agent: Agent, path: str, *, count: int | None = None, seen: int | None = None
) -> list[tuple[int, Event]]:
    headers = {} if seen is None else {"Last-Event-ID": str(seen)}
    async with asyncio.timeout(20), agent.http.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        return await read_events(response, count=count)


async def test_job_stream_is_complete_in_order_and_ends_with_the_job(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job_id = await agent.create()
        found = await stream(agent, f"/v1/fine_tuning/jobs/{job_id}/events?stream=true")
        assert [number for number, _ in found] == list(range(1, len(found) + 1))
        kinds = [event.data.kind for _, event in found]
        assert kinds.count("progress") == STEPS
        states = [event.data.status for _, event in found if event.data.kind == "state"]
        assert states == ["validating_files", "queued", "running", "succeeded"]
        assert kinds[-1] == "state"


async def test_job_stream_goes_on_behind_the_last_event_seen(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job_id = await agent.create()
        path = f"/v1/fine_tuning/jobs/{job_id}/events?stream=true"
        whole = await stream(agent, path)
        assert await stream(agent, path, seen=4) == whole[4:]
        assert await stream(agent, path, seen=len(whole)) == []
        assert await stream(agent, path, seen=10**17) == []


async def test_agent_feed_replays_every_job_behind_a_cursor(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        first, second = await agent.create(), await agent.create()
        for job_id in (first, second):
            await agent.until_status(job_id, "succeeded")
        async with agent.http.get("/v1/agent") as response:
            info: dict[str, Any] = await response.json()
        total = info["feed_cursor"]
        found = await stream(agent, "/v1/agent/events?after=0", count=total)
        assert [number for number, _ in found] == list(range(1, total + 1))
        assert {event.job_id for _, event in found} == {first, second}
        assert await stream(agent, "/v1/agent/events", seen=3, count=total - 3) == found[3:]


async def test_agent_feed_begins_now_and_stays_open(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        await agent.until_status(await agent.create(), "succeeded")
        async with agent.http.get("/v1/agent/events") as response:
            assert await response.content.readline() == b": keep-alive\n"
            job_id = await agent.create()
            [(_, event)] = await read_events(response, count=1)
            assert event.job_id == job_id
            assert event.message.startswith("Created")


async def test_client_that_is_cut_off_gets_the_rest_later_and_leaves_no_traceback(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        response = await agent.http.get("/v1/agent/events?after=0")
        seen = [number for number, _ in await read_events(response, count=3)]
        assert response.connection is not None
        assert response.connection.transport is not None
        response.connection.transport.abort()
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded")
        async with agent.http.get("/v1/agent") as answer:
            total = (await answer.json())["feed_cursor"]
        rest = await stream(agent, "/v1/agent/events", seen=seen[-1], count=total - len(seen))
        assert [*seen, *(number for number, _ in rest)] == list(range(1, total + 1))
    assert not [record for record in caplog.records if record.exc_info]


async def test_malformed_last_event_id_is_refused(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        for seen in ("x", "-1", "9" * 40, "1; drop"):
            async with agent.http.get("/v1/agent/events", headers={"Last-Event-ID": seen}) as response:
                assert response.status == 400
                assert "Last-Event-ID" in (await response.json())["error"]["message"]


async def test_events_are_listed_newest_first_in_pages(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "succeeded")
        path = f"/v1/fine_tuning/jobs/{job_id}/events"
        async with agent.http.get(f"{path}?limit=2") as response:
            page = json.loads(await response.read())
        assert page["has_more"] is True
        assert page["data"][0]["sequence"] - 1 == page["data"][1]["sequence"]
        async with agent.http.get(f"{path}?limit=1&after={page['data'][1]['id']}") as response:
            following = json.loads(await response.read())
        assert following["data"][0]["sequence"] == page["data"][1]["sequence"] - 1
