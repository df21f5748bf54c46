"""A GPU that does not answer any more stops the queue, and fails no job."""

import signal

import pytest

from agent.running.trainer_process import signal_group
from agent.settings import AgentSettings
from tests.agent.running.lives import check_trained_once
from tests.agent.running_agent import GPU, MACHINE, run_agent

pytestmark = pytest.mark.process


async def test_lost_gpu_pauses_the_job_and_the_queue_until_it_is_back(settings: AgentSettings) -> None:
    machines = [GPU]
    async with run_agent(settings, "hold", machine=lambda: machines[-1]) as agent:
        training = await agent.create()
        await agent.until_step(training)
        behind = await agent.create()
        await agent.until_status(behind, "queued")
        machines.append(MACHINE)  # what is read where NVML knows of no GPU
        [pid] = agent.lives(training)
        signal_group(pid, signal.SIGKILL)
        await agent.until_status(training, "paused")
        job = await agent.job(training)
        assert (job["paused"], job["attempt"]) == ("gpu", 1)
        assert "The GPU does not answer any more" in (await agent.messages(training))[-1]
        assert await agent.status(behind) == "queued"
        await agent.act("/v1/agent/resume")  # too soon: it is asked for once more, and nothing fails
        await agent.until_status(training, "paused")
        assert len(agent.lives(training)) == 1
        machines.append(GPU)
        agent.go_on(training)
        await agent.act("/v1/agent/resume")
        await check_trained_once(agent, training, lives=2)
        await agent.until_step(behind)
        agent.go_on(behind)
        await agent.until_status(behind, "succeeded")


async def test_job_planned_for_a_gpu_that_is_lost_before_its_turn_is_not_trained_on_the_cpu(
    settings: AgentSettings,
) -> None:
    machines = [GPU]
    async with run_agent(settings, machine=lambda: machines[-1]) as agent:
        await agent.act("/v1/agent/pause")
        job_id = await agent.create()
        await agent.until_status(job_id, "queued")
        machines.append(MACHINE)
        await agent.act("/v1/agent/resume")
        await agent.until_status(job_id, "paused")
        machines.append(GPU)
        await agent.act("/v1/agent/resume")
        await agent.until_status(job_id, "succeeded")
        assert agent.folder(job_id).read_spec().device == "cuda"
