"""What OpenAI's own guides send, through OpenAI's own client, with only the address, the key and the model changed."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import find_base_model
from agent.intake.inspector import Inspector
from agent.settings import AgentSettings
from tests.agent.data.families import card_of_family
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS, Agent, run_agent

Row = dict[str, Any]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and country, eg. San Francisco, USA"},
                "format": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location", "format"],
        },
    },
}


def sarcastic(number: int) -> Row:
    """A row of the guide to supervised fine-tuning: what has the weight 0 is not learned."""
    said = [
        {"role": "system", "content": "Marv is a factual chatbot that is also sarcastic."},
        {"role": "user", "content": f"What's the capital of France, asked {number} times?"},
        {"role": "assistant", "content": "Paris", "weight": 0},
        {"role": "user", "content": "Can you be more sarcastic?"},
        {"role": "assistant", "content": f"Paris, as if {number} others did not know that already.", "weight": 1},
    ]
    return {"messages": said}


def calling(number: int) -> Row:
    """A row of the guide to function calling."""
    arguments = f'{{"location": "City {number}, USA", "format": "celsius"}}'
    call = {
        "id": "call_id",
        "type": "function",
        "function": {"name": "get_current_weather", "arguments": arguments},
    }
    return {
        "messages": [
            {"role": "user", "content": f"What is the weather in City {number}?"},
            {"role": "assistant", "tool_calls": [call]},
        ],
        "parallel_tool_calls": False,
        "tools": [WEATHER],
    }


def preferred(number: int) -> Row:
    """A row of the guide to direct preference optimization."""
    asked = {"role": "user", "content": f"Hello, can you tell me how cold San Francisco is on day {number}?"}
    better = f"Today, on day {number}, it is not quite cold as expected in San Francisco."
    return {
        "input": {"messages": [asked], "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": better}],
        "non_preferred_output": [{"role": "assistant", "content": "It is not particularly cold there."}],
    }


def seeing(number: int) -> Row:
    """A row of the guide to vision fine-tuning."""
    picture = {"type": "image_url", "image_url": {"url": f"https://example.org/{number}.jpg"}}
    return {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": f"What is cheese {number}?"}, picture]},
            {"role": "assistant", "content": "Danbo"},
        ]
    }


DPO: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}
GRADER: Any = {"type": "string_check", "name": "x", "operation": "eq", "input": "{{sample}}", "reference": "yes"}


class FamilyInspector(Inspector):
    """The real one, for a model that has a family's template and no weights."""

    def __init__(self, settings: AgentSettings, family: str) -> None:
        super().__init__(settings)
        self._card = card_of_family(family)

    async def describe(self, _model: str) -> BaseModelCard:
        return self._card


async def sent(agent: Agent, row: Callable[[int], Row], numbers: range = range(12), name: str = "guide.jsonl") -> str:
    content = b"".join(json.dumps(row(number)).encode() + b"\n" for number in numbers)
    file_id: str = (await agent.openai.files.create(file=(name, content), purpose="fine-tune")).id
    return file_id


async def test_rows_and_methods_of_the_guides_are_planned(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, inspector=FamilyInspector(settings, "qwen2_5")) as agent:
        jobs = agent.openai.fine_tuning.jobs
        for row, more in ((sarcastic, {}), (calling, {}), (preferred, {"method": DPO})):
            job = await jobs.create(
                model=MODEL,
                training_file=await sent(agent, row),
                suffix="from-the-guide",
                seed=7,
                metadata={"team": "weather"},
                integrations=[],
                **more,
            )
            await agent.until_status(job.id, "queued", "failed")
            done = await jobs.retrieve(job.id)
            assert done.error is None or not done.error.message, row
            assert (done.status, done.seed, done.metadata) == ("queued", 7, {"team": "weather"})
            assert done.integrations == []
        assert done.method is not None
        assert done.method.dpo is not None
        assert done.method.dpo.hyperparameters is not None
        assert done.method.dpo.hyperparameters.beta == 0.1


async def test_a_picture_fails_the_job_in_words_before_it_runs(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, inspector=FamilyInspector(settings, "qwen2_5")) as agent:
        jobs = agent.openai.fine_tuning.jobs
        job = await jobs.create(model=MODEL, training_file=await sent(agent, seeing))
        await agent.until_status(job.id, "queued", "failed")
        error = (await jobs.retrieve(job.id)).error
        assert error is not None
        assert error.message is not None
        assert "line 1 has a part of the kind 'image_url'" in error.message
        assert "only text is learned" in error.message


async def test_a_grader_is_refused_with_what_is_possible(settings: AgentSettings) -> None:
    python: Any = {"type": "python", "name": "x", "source": "def grade(sample, item): return 1.0"}
    async with run_agent(settings, works=False) as agent:
        for grader in (GRADER, python):
            method: Any = {"type": "reinforcement", "reinforcement": {"grader": grader}}
            with pytest.raises(openai.BadRequestError, match=r"graders do not run here.* choose supervised, .* or kto"):
                await agent.openai.fine_tuning.jobs.create(
                    model=MODEL, training_file=await agent.upload(), method=method
                )


async def test_a_tracker_that_cannot_be_reached_is_refused_and_not_forgotten(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        file = await agent.upload()
        for wanted in ([{"type": "wandb", "wandb": {"project": "cats"}}], [{"type": "mlflow"}]):
            integrations: Any = wanted
            with pytest.raises(openai.BadRequestError, match=r"Weights & Biases.* Leave integrations out"):
                await agent.openai.fine_tuning.jobs.create(model=MODEL, training_file=file, integrations=integrations)


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "gpt-4.1-nano-2025-04-14", "ft:gpt-4o-mini:me::abc", "o1"])
async def test_a_model_of_openai_is_refused_with_what_is_here(settings: AgentSettings, model: str) -> None:
    async with run_agent(settings, works=False, check_model=lambda name: find_base_model(name, settings)) as agent:
        with pytest.raises(openai.BadRequestError, match=r"weights cannot be had. Choose another base model: smollm2"):
            await agent.openai.fine_tuning.jobs.create(model=model, training_file=await agent.upload())


@pytest.mark.process
async def test_a_checkpoint_is_listed_and_the_finished_model_named_instead_of_it(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "succeeded", "failed")
        [point] = [it async for it in await agent.openai.fine_tuning.jobs.checkpoints.list(job_id)]
        name = point.fine_tuned_model_checkpoint
        with pytest.raises(openai.NotFoundError, match=r"is a checkpoint.* Ask the finished model, “toast:v1”"):
            await agent.openai.chat.completions.create(model=name, messages=[{"role": "user", "content": "Hi"}])


@pytest.mark.process
async def test_a_model_is_retrieved_by_its_name(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "succeeded", "failed")
        models = agent.openai.models
        assert [(await models.retrieve(name)).id for name in (MODEL, "toast:v1", "toast")] == [
            MODEL, "toast:v1", "toast:v1",
        ]  # fmt: skip
        with pytest.raises(openai.NotFoundError, match="There is no model “acme/none” here"):
            await models.retrieve("acme/none")


@pytest.mark.process
async def test_a_run_is_paused_and_resumed(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        jobs = agent.openai.fine_tuning.jobs
        job_id = await agent.create()
        await agent.until_step(job_id)
        await jobs.pause(job_id)
        await agent.until_status(job_id, "paused")
        assert (await jobs.resume(job_id)).status == "queued"
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded", "failed")
        assert (await jobs.retrieve(job_id)).status == "succeeded"


async def held_out(agent: Agent, numbers: range, row: Callable[[int], Row] = sarcastic) -> Any:
    """Return the job that is made with a validation file, once it is planned or refused."""
    jobs = agent.openai.fine_tuning.jobs
    job = await jobs.create(
        model=MODEL,
        training_file=await sent(agent, sarcastic),
        validation_file=await sent(agent, row, numbers, "held.jsonl"),
    )
    await agent.until_status(job.id, "queued", "failed")
    return await jobs.retrieve(job.id)


async def test_a_validation_file_is_held_out_and_no_row_of_it_is_trained_on(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, inspector=FamilyInspector(settings, "qwen2_5")) as agent:
        job = await held_out(agent, range(10, 15))
        assert job.status == "queued"
        async with agent.http.get(f"/v1/fine_tuning/plans/{job.plan}") as response:
            plan = await response.json()
        assert (plan["train_rows"], plan["validation_rows"], plan["test_rows"]) == (12, 3, 0)
        assert plan["validation_file"] == job.validation_file
        assert "2 rows of held.jsonl are trained on as well, and measure nothing: they are left out." in plan["notes"]
        with pytest.raises(openai.ConflictError, match=r"held\.jsonl is used by job #1"):
            await agent.openai.files.delete(job.validation_file)

        again = await agent.act(f"/v1/fine_tuning/jobs/{job.id}/plans")  # what is run again is measured alike
        assert again["validation_file"] == job.validation_file


async def test_a_validation_file_that_measures_nothing_is_refused_by_its_name(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, inspector=FamilyInspector(settings, "qwen2_5")) as agent:
        for numbers, row, said in (
            (range(5), sarcastic, "All 5 of its rows are in the training file as well"),
            (range(20, 22), preferred, "Its rows have the form preference, those of the training file messages"),
            (range(20, 22), seeing, "No row of it is usable. Line 1 has a part of the kind 'image_url'"),
        ):
            job = await held_out(agent, numbers, row)
            assert job.status == "failed"
            assert job.error.param == "validation_file"
            assert "The validation file held.jsonl: " + said in job.error.message
        with pytest.raises(openai.BadRequestError, match=r"held\.jsonl is the training file as well"):
            await held_out(agent, range(12))


@pytest.mark.process
async def test_a_job_with_a_validation_file_runs(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        jobs = agent.openai.fine_tuning.jobs
        held = await agent.upload(ROWS[: len(ROWS) // 4].rpartition(b"\n")[0], name="held.jsonl")
        job = await jobs.create(model=MODEL, training_file=await agent.upload(), validation_file=held)
        assert job.validation_file == held
        await agent.until_status(job.id, "succeeded", "failed")
        assert (await jobs.retrieve(job.id)).status == "succeeded"
        spec = agent.folder(job.id).read_spec()
        assert spec.validation_path == str(settings.hearth_data_dir / "files" / held)
        assert spec.validation_sha256
        assert (await agent.openai.files.delete(held)).deleted
