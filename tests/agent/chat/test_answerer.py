"""Finished models, asked over HTTP: by real processes that need no llama.cpp."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest

from agent.chat.answerer import Patience
from agent.settings import AgentSettings
from tests.agent.running_agent import MACHINE, Agent, run_agent

Json = dict[str, Any]
CALL = {"type": "function", "id": "c1", "function": {"name": "get_weather", "arguments": ""}}
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]
ASKED = {"role": "user", "content": "weather?"}
ECHOED = {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [CALL | {"index": 0}]}

pytestmark = pytest.mark.process


@asynccontextmanager
async def agent_with_a_model(settings: AgentSettings, *, gguf: bytes = b"GGUF", **more: Any) -> AsyncIterator[Agent]:
    async with run_agent(settings, **more) as agent:
        job = await agent.create()
        await agent.until_status(job, "succeeded")
        gguf_of(agent, job).write_bytes(gguf)
        yield agent


def gguf_of(agent: Agent, job_id: str) -> Path:
    return agent.folder(job_id).export / "toast.gguf"


async def ask(agent: Agent, *words: str, model: str = "toast:v1", **more: Any) -> str:
    said = [{"role": "user", "content": word} for word in words]
    done = await agent.openai.chat.completions.create(model=model, messages=said, **more)
    return str(done.choices[0].message.content)


async def refused(agent: Agent, *words: str, code: str, **more: Any) -> str:
    with pytest.raises(openai.APIStatusError) as refusal:
        await ask(agent, *words, **more)
    assert refusal.value.code == code, refusal.value
    return str(refusal.value.body["message"])


def pid_in(answer: str) -> int:
    return int(answer.split(" answers ")[1].split()[0])


async def until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 -- another process ends
            await asyncio.sleep(0.005)


async def test_the_openai_sdk_asks_a_tuned_model(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        done = await agent.openai.chat.completions.create(
            model="toast", messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}],
            max_tokens=7, temperature=0,
        )  # fmt: skip
        assert (done.model, done.object, done.choices[0].finish_reason) == ("toast:v1", "chat.completion", "stop")
        assert (done.choices[0].message.content or "").startswith("Who?, answers ")
        assert done.usage is not None
        assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (2, 7, 9)
        cut = await agent.openai.chat.completions.create(
            model="toast", messages=[{"role": "user", "content": "Who?"}], max_completion_tokens=1
        )
        assert cut.choices[0].finish_reason == "length"


async def test_a_model_that_is_offered_tools_calls_them_and_hears_what_came_back(settings: AgentSettings) -> None:
    tools: list[Any] = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    messages: list[Any] = [{"role": "user", "content": "weather?"}]
    async with agent_with_a_model(settings) as agent:
        asked = agent.openai.chat.completions.create
        [choice] = (await asked(model="toast", messages=messages, tools=tools, tool_choice="auto")).choices
        assert choice.finish_reason == "tool_calls"
        [call] = choice.message.tool_calls or []
        assert call.type == "function"
        assert json.loads(call.function.arguments) == {"place": "Bath", "for": "mia@example.org"}
        told: Any = choice.message.model_dump(exclude_none=True)
        messages += [told, {"role": "tool", "tool_call_id": call.id, "content": "Rain."}]
        again = await asked(model="toast", messages=messages, tools=tools)
        assert (again.choices[0].message.content or "").startswith("Rain., answers ")
        assert again.choices[0].message.tool_calls is None


@pytest.mark.parametrize(
    "more",
    [
        {"tools": None, "tool_choice": None, "parallel_tool_calls": False},
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        {"messages": [{"role": "user", "content": "?", "name": "mia"}]},
        {"messages": [ASKED, ECHOED, {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": ""}]},
        {
            "messages": [
                ASKED,
                ECHOED,
                {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "!"}]},
            ]
        },
    ],
)
async def test_what_clients_of_openai_send_is_taken(settings: AgentSettings, more: dict[str, Any]) -> None:
    body = {"model": "toast", "messages": [{"role": "user", "content": "?"}]} | more
    async with agent_with_a_model(settings) as agent, agent.http.post("/v1/chat/completions", json=body) as response:
        assert response.status == 200, await response.text()


async def test_a_name_without_a_version_is_its_newest(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        second = await agent.create()
        await agent.until_status(second, "succeeded")
        for name, version in (("toast", "toast:v2"), ("toast:v1", "toast:v1")):
            done = await agent.openai.chat.completions.create(model=name, messages=[{"role": "user", "content": "?"}])
            assert done.model == version
        for name in ("toas", "toast:v3", "smollm2-135m"):
            assert f"no tuned model “{name}”" in await refused(agent, "?", model=name, code="not_found")


async def test_a_model_stays_in_memory_between_questions_and_has_no_secret(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    async with agent_with_a_model(settings) as agent:
        first, second = await ask(agent, "1"), await ask(agent, "environment")
        assert pid_in(first) == pid_in(second) == agent.services.answerer.pid
        assert "HF_TOKEN" not in second
        assert "HF_HUB_OFFLINE" in second
    assert not psutil.pid_exists(pid_in(first))  # it ended with the agent


async def test_a_model_is_put_away_when_nobody_has_asked_for_a_while(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings, patience=Patience(idle_s=0.01)) as agent:
        first = pid_in(await ask(agent, "1"))
        await until(lambda: not psutil.pid_exists(first))
        assert agent.services.answerer.pid is None
        assert pid_in(await ask(agent, "2")) != first


async def test_a_training_that_starts_puts_a_model_away_in_the_middle_of_its_answer(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        pid = pid_in(await ask(agent, "1"))
        asked = asyncio.create_task(refused(agent, "hold", code="model_busy"))
        job = await agent.create()
        assert "put away before it had answered" in await asked
        assert not psutil.pid_exists(pid)
        await agent.until_status(job, "succeeded")
        assert pid_in(await ask(agent, "2"))


async def test_nothing_is_loaded_while_a_job_is_about_to_start(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings):
        pass
    async with run_agent(settings, works=False) as agent:
        job = await agent.create()
        await agent.until_status(job, "queued")
        assert "Job #2 is starting" in await refused(agent, "1", code="model_busy")
        await agent.act("/v1/agent/pause")
        assert await ask(agent, "1")  # paused, the machine starts nothing


async def test_beside_a_trainer_a_model_has_few_threads(settings: AgentSettings) -> None:
    machine, settings = replace(MACHINE, cores=8), settings.model_copy(update={"hearth_threads": 0})  # all of them
    async with agent_with_a_model(settings, machine=lambda: machine) as agent:
        assert "with 8 threads" in await ask(agent, "1")
        agent.supervisor._command = (*agent.supervisor._command[:-1], "hold")
        job = await agent.create()
        await agent.until_step(job)
        assert "with 2 threads" in await ask(agent, "1")
        agent.go_on(job)
        await agent.until_status(job, "succeeded")
        assert "with 8 threads" in await ask(agent, "1")


async def test_without_the_memory_for_it_a_model_is_not_loaded(settings: AgentSettings) -> None:
    machine = [MACHINE]
    async with agent_with_a_model(settings, machine=lambda: machine[0]) as agent:
        machine[0] = replace(MACHINE, memory_free_mib=700)
        words = await refused(agent, "1", code="insufficient_memory")
        assert "takes about 320 MiB of memory, and 188 MiB can be used now" in words


async def test_a_second_question_waits_its_turn_and_is_told_when_that_is_long(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        held, waiting = asyncio.create_task(ask(agent, "hold")), asyncio.create_task(ask(agent, "2"))
        await until(lambda: agent.services.answerer._loaded is not None)
        agent.services.answerer._patience = Patience(turn_s=0)
        assert "Ask again in a minute" in await refused(agent, "3", code="model_busy")
        assert await task_now(agent) == {"kind": "answer", "job_id": await job_id(agent), "job_number": 1}
        gguf_of(agent, await job_id(agent)).with_name("go").touch()
        assert (await held).startswith("hold")
        assert (await waiting).startswith("2")
        assert await task_now(agent) is None


async def task_now(agent: Agent) -> Json | None:
    async with agent.http.get("/v1/agent") as response:
        task: Json | None = (await response.json())["workers"][0]["task"]
    return task


async def job_id(agent: Agent) -> str:
    return str((await agent.openai.fine_tuning.jobs.list()).data[0].id)


@pytest.mark.parametrize(
    ("gguf", "asked", "code", "words"),
    [
        (b"GGUF", "crash", "model_failed", "llama.cpp could not run toast:v1"),
        (b"broken", "1", "model_failed", "llama.cpp could not run toast:v1"),
        (b"GGUF", "too long", "invalid_request", "has 5000 tokens, and toast:v1 reads 4096"),
        (b"GGUF", "odd", "invalid_request", "says “this model has no such template”"),
    ],
)
async def test_what_goes_wrong_is_told_in_a_sentence_and_the_next_question_is_answered(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture, gguf: bytes, asked: str, code: str, words: str
) -> None:
    async with agent_with_a_model(settings, gguf=gguf) as agent:
        assert words in await refused(agent, asked, code=code)
        gguf_of(agent, await job_id(agent)).write_bytes(b"GGUF")
        assert await ask(agent, "1")
    assert "mia@example.org" not in caplog.text
    assert ("GGML_ASSERT failed for [e-mail]" in caplog.text) is (asked == "crash")


@pytest.mark.parametrize(("gguf", "patience"), [(b"slow", Patience(load_s=0.01)), (b"GGUF", Patience(answer_s=0.01))])
async def test_a_model_without_an_answer_in_time_is_stopped(
    settings: AgentSettings, gguf: bytes, patience: Patience
) -> None:
    async with agent_with_a_model(settings, gguf=gguf, patience=patience) as agent:
        assert "had no answer within 0 s" in await refused(agent, "hold", code="model_failed")
        assert agent.services.answerer.pid is None


async def test_a_model_whose_file_was_deleted_is_said_to_be_so(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        [file] = (await agent.openai.fine_tuning.jobs.retrieve(await job_id(agent))).result_files
        gguf_of(agent, await job_id(agent)).unlink()
        assert "The model file of toast:v1 was deleted" in await refused(agent, "1", code="not_found")
        await agent.openai.files.delete(file)
        assert "toast:v1" not in [model.id async for model in await agent.openai.models.list()]
        assert "/retry #1 trains it again" in await refused(agent, "1", code="not_found")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stream": "perhaps"}, "must be true or false"),
        ({"max_tokens": 5000}, "at most 4096"),
        ({"messages": []}, "at least 1 long"),
        ({"messages": [{"role": "user", "content": "?"}] * 65}, "at most 64 long"),
        ({"messages": [{"role": "user", "content": "x" * 16_001}]}, "at most 16000 characters"),
        ({"messages": [{"role": "assistant", "content": "?"}]}, "whose last message has the role user, or tool"),
        ({"messages": [{"role": "user", "content": "?", "mood": "x"}]}, "“mood” is not a known field"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "f"}}}, "name one of the tools"),
        ({"functions": []}, "“functions” is not a known field"),
        ({"tools": [{"type": "function", "function": {"name": "no name"}}]}, "name"),
        ({"messages": [{"role": "user"}]}, "give a message a content"),
        ({"messages": [{"role": "user", "tool_calls": [CALL]}]}, "messages of the assistant alone"),
    ],
)
async def test_a_request_that_is_not_taken_says_why(settings: AgentSettings, more: dict[str, Any], words: str) -> None:
    body = {"model": "toast", "messages": [{"role": "user", "content": "?"}]} | more
    async with (
        run_agent(settings, works=False) as agent,
        agent.http.post("/v1/chat/completions", json=body) as response,
    ):
        error = (await response.json())["error"]
        assert (response.status, words in error["message"]) == (400, True), error
