"""A stored row that cannot be read spoils itself alone: it is said, and what stands beside it goes on."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.settings import AgentSettings
from agent.store.tables import EventRow, InspectionRow, JobRow, PlanRow
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import Agent, run_agent

pytestmark = pytest.mark.process

SPOILT = '{"from": "another version"}'


def spoil_plan(session: Session) -> None:
    session.execute(sa.update(PlanRow).values(plan=SPOILT, card=SPOILT))


def spoil_job(session: Session, job_id: str) -> None:
    spoilt = {"method": "[]", "progress": "[]", "error": "[]", "result": "[]", "labels": "[]", "mapping": "[]"}
    session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(**spoilt))


def spoil_events(session: Session, job_id: str) -> None:
    session.execute(sa.update(EventRow).where(EventRow.job_id == job_id).values(record=SPOILT))


def spoil_inspections(session: Session) -> None:
    session.execute(sa.update(InspectionRow).values(inspection=SPOILT, findings=SPOILT, card=SPOILT, status="running"))


async def listed(agent: Agent) -> list[str]:
    async with agent.http.get("/v1/fine_tuning/jobs") as response:
        assert response.status == 200, await response.text()
        return [job["id"] for job in (await response.json())["data"]]


async def test_job_whose_plan_cannot_be_read_fails_in_words_and_the_next_runs(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_agent(settings, works=False) as agent:
        spoilt = await agent.create()
        await agent.until_status(spoilt, "queued")
        await agent.store.run(spoil_plan)
    async with run_agent(settings) as agent:
        following = await agent.create()
        await agent.until_status(following, "succeeded")
        job = await agent.job(spoilt)
        assert job["status"] == "failed"
        assert "cannot be read" in job["error"]["message"]
    assert "ftplan-" in caplog.text


async def test_a_spoilt_job_is_listed_beside_the_others(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        first, second = await agent.create(), await agent.create()
        await agent.until_status(second, "succeeded")
        await agent.store.run(spoil_job, first)
        assert await listed(agent) == [second, first]
        assert (await agent.job(first))["status"] == "succeeded"
        async with agent.http.post(
            "/v1/fine_tuning/plans", json={"model": MODEL, "training_file": await agent.upload()}
        ) as made:
            assert made.status == 200, await made.text()


async def test_a_job_that_cannot_say_what_it_asked_for_is_not_trained_with_something_else(
    settings: AgentSettings,
) -> None:
    async with run_agent(settings, works=False) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
        await agent.store.run(spoil_job, job_id)
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "failed")
        assert "cannot be read" in (await agent.job(job_id))["error"]["message"]


async def test_spoilt_events_are_left_out_of_lists_and_streams(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        first = await agent.create()
        await agent.until_status(first, "succeeded")
        await agent.store.run(spoil_events, first)
        second = await agent.create()
        await agent.until_status(second, "succeeded")
        assert await agent.messages(first) == []
        seen = []
        async with agent.http.get("/v1/agent/events", params={"after": 0}) as stream:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    seen.append(second.encode() in line)
                if b"succeeded" in line:
                    break
        assert all(seen)


async def test_spoilt_inspections_stop_no_start_and_no_plan(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        file_id = await agent.upload()
        async with agent.http.post(f"/v1/files/{file_id}/inspections", json={"model": MODEL}) as response:
            inspection = (await response.json())["id"]
        async with agent.http.get(f"/v1/inspections/{inspection}", params={"wait_s": 10}) as response:
            assert (await response.json())["status"] == "completed"
        await agent.store.run(spoil_inspections)
    async with run_agent(settings) as agent:
        async with agent.http.get(f"/v1/inspections/{inspection}") as response:
            assert "cannot be read" in (await response.json())["error"]["message"]
        async with agent.http.post("/v1/fine_tuning/plans", json={"model": MODEL, "training_file": file_id}) as made:
            assert made.status == 200, await made.text()
