"""Pauses: what runs gives its memory back, waits, and goes on; and what they meet."""

import asyncio
import signal

import pytest

from agent.running.trainer_process import lock_is_held, signal_group
from agent.settings import AgentSettings
from tests.agent.running.lives import IMPATIENT, check_trained_once
from tests.agent.running_agent import run_agent

pytestmark = pytest.mark.process


async def test_trainer_that_left_for_a_pause_while_the_agent_was_dead_is_not_started_again(
    settings: AgentSettings,
) -> None:
    async with run_agent(settings, "deaf") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause")
    [pid] = agent.lives(job_id)
    signal_group(pid, signal.SIGKILL)
    while lock_is_held(agent.folder(job_id).lock):  # noqa: ASYNC110 - another process sets no Event
        await asyncio.sleep(0.01)
    async with run_agent(settings) as agent:
        await agent.until_status(job_id, "paused")
        assert agent.lives(job_id) == [pid]


async def test_machine_resumed_while_its_trainer_still_leaves_leaves_no_job_behind(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act("/v1/agent/pause")
        await agent.act("/v1/agent/resume")
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded")


async def test_job_that_waits_in_a_pause_keeps_its_name_for_itself(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        first = await agent.create()
        await agent.until_step(first)
        await agent.act(f"/v1/fine_tuning/jobs/{first}/pause")
        await agent.until_status(first, "paused")
        second = await agent.create()
        await agent.until_step(second)
        await agent.act(f"/v1/fine_tuning/jobs/{first}/resume")
        for job_id in (second, first):
            agent.go_on(job_id)
            await agent.until_status(job_id, "succeeded")
        assert (await agent.job(first))["fine_tuned_model"] == "toast:v1"
        assert (await agent.job(second))["fine_tuned_model"] == "toast:v2"


async def test_paused_job_leaves_the_memory_to_others_and_goes_on(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        assert (await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause"))["pausing"]
        await agent.until_status(job_id, "paused")
        assert not lock_is_held(agent.folder(job_id).lock)
        assert (await agent.job(job_id))["paused"] == "asked"
        other = await agent.create()
        await agent.until_step(other)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await agent.until_status(job_id, "queued")
        agent.go_on(job_id)
        agent.go_on(other)
        await agent.until_status(other, "succeeded")
        await check_trained_once(agent, job_id, lives=2)
        assert (await agent.job(job_id))["attempt"] == 1


async def test_trainer_that_does_not_hear_a_pause_is_ended_and_goes_on_later(settings: AgentSettings) -> None:
    async with run_agent(settings, "deaf", timings=IMPATIENT) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause")
        await agent.until_status(job_id, "paused")
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await check_trained_once(agent, job_id, lives=2)


async def test_paused_machine_starts_nothing_until_it_is_resumed(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        assert (await agent.act("/v1/agent/pause"))["paused"]
        await agent.until_status(job_id, "paused")
        waiting = await agent.create()
        await agent.until_status(waiting, "queued")
    async with run_agent(settings, "hold") as agent:  # a restart does not undo it
        assert await agent.status(job_id) == "paused"
        assert (await agent.job(job_id))["paused"] == "agent"
        assert not (await agent.act("/v1/agent/resume"))["paused"]
        agent.go_on(job_id)
        await check_trained_once(agent, job_id, lives=2)
        await agent.until_step(waiting)
        agent.go_on(waiting)
        await agent.until_status(waiting, "succeeded")


async def test_paused_job_that_is_cancelled_ends_with_what_it_learned(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause")
        await agent.until_status(job_id, "paused")
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/cancel")
        await agent.until_status(job_id, "cancelled")
        assert len((await agent.job(job_id))["result_files"]) == 1


async def test_only_what_runs_can_be_paused_and_only_what_is_paused_resumed(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "queued")
        refused = await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause", expect=409)
        assert refused["error"]["code"] == "job_not_running"
        refused = await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume", expect=409)
        assert refused["error"]["code"] == "job_not_paused"
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/cancel")
        refused = await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause", expect=409)
        assert refused["error"]["code"] == "job_finished"
