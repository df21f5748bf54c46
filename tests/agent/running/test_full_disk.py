"""What happens to jobs and requests when the disk or the store is full, or another program holds the store."""

import asyncio
import signal
import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.running.trainer_process import lock_is_held, signal_group
from agent.settings import AgentSettings
from agent.store import Store, running_jobs
from agent.store.store import StoreUnavailableError
from tests.agent.fake_inspector import MODEL
from tests.agent.running.lives import SILENCE, check_trained_once
from tests.agent.running_agent import run_agent

pytestmark = pytest.mark.process


def limit(session: Session, pages: int) -> int:
    """Let the database have no more pages than that, or than it has."""
    return int(session.scalar(sa.text(f"PRAGMA max_page_count={pages}")) or 0)


async def fill(store: Store, job_id: str) -> None:
    """Write until the pages that are there are full."""
    while True:
        await store.run(running_jobs.say, job_id, "x", now=0)


async def test_full_disk_pauses_the_job_until_it_is_resumed(settings: AgentSettings) -> None:
    async with run_agent(settings, "once-disk-full") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "paused")
        assert (await agent.job(job_id))["paused"] == "disk"
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await check_trained_once(agent, job_id, lives=2)


async def test_trainer_that_dies_on_a_full_disk_is_not_counted_and_waits_for_room(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_agent(settings, "once-die") as agent:
        with monkeypatch.context() as full:
            full.setattr("agent.running.aftermath.CROWDED_MIB", 1 << 40)  # no disk has as much free
            job_id = await agent.create()
            await agent.until_status(job_id, "paused")
        assert (await agent.job(job_id))["paused"] == "disk"
        assert "MiB free). Free some space, then resume the job." in (await agent.messages(job_id))[-1]
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await check_trained_once(agent, job_id, lives=2)
        assert (await agent.job(job_id))["attempt"] == 1


async def test_full_store_refuses_new_jobs_in_words_and_loses_no_event(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        file_id = await agent.upload()
        await agent.store.run(limit, 1)  # SQLite keeps what it has, and takes no page more
        refused: dict[str, Any] = {}
        while not refused.get("error"):  # until the pages that are there are full
            body = {"model": MODEL, "training_file": file_id, "metadata": {"note": "x" * 500}}
            async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
                refused = await response.json()
        assert refused["error"]["code"] == "insufficient_disk"
        assert "disk is full" in refused["error"]["message"]
        assert (await agent.job(job_id))["status"] == "running"  # reading goes on
        agent.go_on(job_id)
        while lock_is_held(agent.folder(job_id).lock):  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(0.01)
        await agent.store.run(limit, 1_000_000)
        await check_trained_once(agent, job_id, lives=1)


async def test_job_that_was_accepted_before_the_store_was_full_is_validated_when_there_is_room(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_agent(settings) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
        await agent.store.run(limit, 1)
        refused = False
        while not refused:  # until the pages that are there are full
            body = {"model": MODEL, "training_file": (await agent.job(job_id))["training_file"]}
            async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
                refused = response.status == 507
        agent.inspector.gate.set()
        while "the database cannot be used" not in caplog.text:  # noqa: ASYNC110 - a log line sets no Event
            await asyncio.sleep(0.01)
        await agent.store.run(limit, 1_000_000)
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"


async def test_store_locked_by_another_program_makes_the_agent_wait_not_fail(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        other = sqlite3.connect(settings.hearth_data_dir / "hearth.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asked = asyncio.create_task(agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause"))
        done, _ = await asyncio.wait({asked}, timeout=0.5)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        assert (await asked)["pausing"]
        await agent.until_status(job_id, "paused")


async def test_job_that_waits_for_a_full_store_between_two_trainers_is_not_said_to_run(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold", timings=SILENCE) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.store.run(limit, 1)
        with pytest.raises(StoreUnavailableError):
            await fill(agent.store, job_id)
        [pid] = agent.lives(job_id)
        signal_group(pid, signal.SIGKILL)
        while (job := await agent.job(job_id))["health"] != "silent":
            assert job["status"] == "running"
        assert len(agent.lives(job_id)) == 1
        agent.go_on(job_id)
        await agent.store.run(limit, 1_000_000)
        await check_trained_once(agent, job_id, lives=2)
