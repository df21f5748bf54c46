"""The official SDK, pointed at the agent, does all of OpenAI's part."""

import openai
import pytest

from agent.settings import AgentSettings
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS, run_agent
from tests.fakes.trainer import GGUF, STEPS


@pytest.mark.process
async def test_sdk_runs_a_job_from_upload_to_result_file(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        jobs = agent.openai.fine_tuning.jobs
        file = await agent.openai.files.create(file=("toast.jsonl", ROWS), purpose="fine-tune")
        assert (file.filename, file.bytes, file.purpose) == ("toast.jsonl", len(ROWS), "fine-tune")
        job = await jobs.create(
            model=MODEL,
            training_file=file.id,
            suffix="toast",
            seed=7,
            metadata={"who": "mia"},
            method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        )
        assert job.id.startswith("ftjob-")
        assert job.status == "validating_files"
        await agent.until_status(job.id, "succeeded", "failed", "cancelled")

        done = await jobs.retrieve(job.id)
        assert done.status == "succeeded"
        assert (done.fine_tuned_model, done.seed, done.metadata) == ("toast:v1", 7, {"who": "mia"})
        assert done.trained_tokens == 300
        assert done.hyperparameters.n_epochs == 2
        results = [await agent.openai.files.retrieve(result) for result in done.result_files]
        assert [result.filename for result in results] == ["toast.gguf"]
        content = await agent.openai.files.content(results[0].id)
        assert content.content == GGUF

        messages = [event.message async for event in await jobs.list_events(job.id, limit=2)]
        assert messages[0] == "Done."
        assert messages[-1] == f"Created fine-tuning job: {job.id}"
        assert messages.count(f"Step {STEPS}") == 1
        checkpoints = [point async for point in await jobs.checkpoints.list(job.id)]
        assert [point.fine_tuned_model_checkpoint for point in checkpoints] == ["toast:v1:ckpt-step-1"]
        assert [listed.id async for listed in await jobs.list(limit=1)] == [job.id]
        assert MODEL in [model.id async for model in await agent.openai.models.list()]
        assert "toast:v1" in [model.id async for model in await agent.openai.models.list()]


async def test_sdk_accepts_the_deprecated_hyperparameters(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        job = await agent.openai.fine_tuning.jobs.create(
            model=MODEL, training_file=await agent.upload(), hyperparameters={"n_epochs": 4}
        )
        assert job.method is not None
        assert job.method.supervised is not None
        assert job.method.supervised.hyperparameters is not None
        assert job.method.supervised.hyperparameters.n_epochs == 4


@pytest.mark.process
async def test_sdk_cancels_a_running_job(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.openai.fine_tuning.jobs.cancel(job_id)
        await agent.until_status(job_id, "cancelled")
        with pytest.raises(openai.ConflictError, match="it was cancelled"):
            await agent.openai.fine_tuning.jobs.cancel(job_id)


async def test_sdk_lists_and_deletes_files(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        ids = [await agent.upload(name=f"{number}.jsonl") for number in range(5)]
        assert [file.id async for file in await agent.openai.files.list(limit=2)] == ids[::-1]
        assert [file.id async for file in await agent.openai.files.list(order="asc", limit=2)] == ids
        assert (await agent.openai.files.delete(ids[0])).deleted
        with pytest.raises(openai.NotFoundError, match=ids[0]):
            await agent.openai.files.retrieve(ids[0])
        assert not list(settings.files_dir.glob(ids[0]))


async def test_sdk_with_a_wrong_key_is_told_where_the_right_one_is(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        stranger = agent.openai.with_options(api_key="guess")
        with pytest.raises(openai.AuthenticationError, match=r"agent\.key"):
            await stranger.files.list()
