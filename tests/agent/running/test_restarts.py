"""An agent that starts again finds its trainers and its jobs, wherever the earlier one left them."""

import asyncio
import gc
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.catalog import BaseModelSource
from agent.errors import AgentError
from agent.running.trainer_process import lock_is_held, signal_group
from agent.scheduling.worker import LOCAL
from agent.settings import AgentSettings
from agent.store import jobs, running_jobs
from shared.errors import ErrorCode
from shared.jobs import Stage
from tests.agent.fake_inspector import CARD
from tests.agent.running_agent import QUICK, Agent, run_agent

pytestmark = pytest.mark.process


async def until_unlocked(agent: Agent, job_id: str) -> None:
    async with asyncio.timeout(20):
        while lock_is_held(agent.folder(job_id).lock):  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(0.01)


def keep_card(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    CARD.write(cache)


async def check_events_are_whole(agent: Agent, job_id: str) -> None:
    """Nothing the trainer wrote is missing or twice."""
    written = [json.loads(line)["message"] for line in agent.folder(job_id).events.read_text().splitlines()]
    stored = await agent.messages(job_id)
    assert [message for message in stored if message in set(written)] == written


async def test_restarted_agent_adopts_a_running_trainer(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    assert lock_is_held(agent.folder(job_id).lock)
    async with run_agent(settings, "die") as agent:
        assert await agent.status(job_id) == "running"
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"
        await check_events_are_whole(agent, job_id)


async def test_trainer_of_before_an_update_leaves_and_its_job_goes_on_with_the_new_code(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    before = agent.folder(job_id).read_heartbeat()
    monkeypatch.setattr("agent.running.supervisor.code_version", lambda: "another")
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"
        messages = await agent.messages(job_id)
    after = agent.folder(job_id).read_heartbeat()
    assert before is not None
    assert after is not None
    assert after.pid != before.pid
    told = [message for message in messages if message.startswith("Hearth was updated.")]
    assert told == ["Hearth was updated. Going on from step 1, with the new version."]
    assert not [message for message in messages if "attempt" in message]


async def test_job_of_before_an_update_goes_on_although_its_model_has_lost_its_name(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause")
        await agent.until_status(job_id, "paused")
    folder = agent.folder(job_id)
    older = folder.read_spec().model_copy(update={"base_model_kind": None, "base_model_location": None})
    folder.write_spec(older)
    await asyncio.to_thread(keep_card, Path(older.base_model_cache))

    def gone(_name: str) -> BaseModelSource:
        raise AgentError("There is no such model any more.", code=ErrorCode.model_unknown)

    async with run_agent(settings, model_source=gone) as agent:
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"


async def test_restarted_agent_cancels_an_adopted_trainer_that_is_deaf(settings: AgentSettings) -> None:
    async with run_agent(settings, "deaf") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    async with run_agent(settings, "deaf") as agent:
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/cancel")
        await agent.until_status(job_id, "cancelled")


async def test_restarted_agent_finishes_a_job_that_ended_meanwhile(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    agent.go_on(job_id)
    await until_unlocked(agent, job_id)
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "succeeded")
        await check_events_are_whole(agent, job_id)


async def test_restarted_agent_goes_on_with_a_job_whose_trainer_died_meanwhile(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    heartbeat = agent.folder(job_id).read_heartbeat()
    assert heartbeat is not None
    signal_group(heartbeat.pid, signal.SIGKILL)
    await until_unlocked(agent, job_id)
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"
        assert len(agent.lives(job_id)) == 2


async def test_agent_stopped_just_behind_a_claim_leaves_the_job_to_the_next(settings: AgentSettings) -> None:
    claimed = asyncio.Event()
    async with run_agent(settings) as agent:
        store = agent.supervisor._store
        ask = store.run

        async def run(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if func is jobs.language:
                claimed.set()
                await asyncio.Event().wait()
            return await ask(func, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "run", run)
            job_id = await agent.create()
            await claimed.wait()
    gc.collect()  # what was begun and never awaited would be named here
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"


async def test_restarted_agent_starts_a_job_that_was_claimed_and_never_began(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "queued")
        assert await agent.store.run(running_jobs.claim_next, worker=LOCAL, now=1) is not None
    async with run_agent(settings, timings=replace(QUICK, adoption_s=0)) as agent:
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"


async def test_restarted_agent_hands_over_what_was_verified_meanwhile(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    heartbeat = agent.folder(job_id).read_heartbeat()
    assert heartbeat is not None
    signal_group(heartbeat.pid, signal.SIGKILL)
    await until_unlocked(agent, job_id)
    agent.folder(job_id).stage_marker(Stage.verify).touch()  # the last that the trainer did
    async with run_agent(settings, "die") as agent:
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"
        assert not [message for message in await agent.messages(job_id) if "attempt" in message]


async def test_restarted_agent_validates_again(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "succeeded")
