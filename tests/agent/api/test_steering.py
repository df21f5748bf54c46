"""A training that runs, asked over HTTP for something else."""

import pytest

from agent.job_folder.steering import EPOCH, finish_wish, rate_wish
from agent.settings import AgentSettings
from tests.agent.api.test_jobs import post
from tests.agent.running_agent import run_agent

pytestmark = pytest.mark.process


async def test_a_training_that_runs_can_be_asked_for_something_else(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id, waiting = await agent.create(), await agent.create()
        await agent.until_step(job_id)
        steered = f"/v1/fine_tuning/jobs/{job_id}/steer"
        for what in ("finish_epoch", "slow_down", "checkpoint"):
            assert (await post(agent, steered, {"what": what}, status=200))["status"] == "running"
        folder = agent.folder(job_id)
        assert finish_wish(folder) == EPOCH
        assert rate_wish(folder) == folder.read_spec().settings.learning_rate / 2
        assert folder.checkpoint_request.exists()
        refused = await post(agent, f"/v1/fine_tuning/jobs/{waiting}/steer", {"what": "finish"}, status=409)
        assert refused["error"]["message"] == ("Job #2 does not train now, so there is nothing to change about it.")
        refused = await post(agent, steered, {"what": "explode"}, status=400)
        assert "what" in refused["error"]["message"]
