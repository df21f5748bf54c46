"""Answers as they are said, over HTTP: by real processes that need no llama.cpp."""

import openai
import pytest

from agent.data.masked_stream import MaskedStream
from agent.data.redact import redact
from agent.settings import AgentSettings
from shared.people import HEADER, RequestedBy, header_of
from tests.agent.chat.test_answerer import TOOLS, agent_with_a_model, ask, pid_in, refused
from tests.agent.running_agent import Agent

pytestmark = pytest.mark.process
TERMINAL = RequestedBy(platform="terminal", person="mia", chat="terminal", private=True)


async def pieces(agent: Agent, words: str, **more: object) -> list[str]:
    stream = await agent.openai.chat.completions.create(
        model="toast", messages=[{"role": "user", "content": words}], stream=True, **more
    )
    return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]


async def test_the_openai_sdk_reads_an_answer_as_it_is_said(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        stream = await agent.openai.chat.completions.create(
            model="toast", messages=[{"role": "user", "content": "Who are you?"}], stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        chunks = [chunk async for chunk in stream]
        said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said).startswith("Who are you?, answers ")
        assert len([piece for piece in said if piece]) == 8, "each word came by itself"
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens == 513
        assert {chunk.model for chunk in chunks} == {"toast:v1"}


async def test_a_model_that_calls_tools_says_all_at_once(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        stream = await agent.openai.chat.completions.create(
            model="toast", messages=[{"role": "user", "content": "weather?"}], tools=TOOLS, stream=True
        )
        called = [chunk.choices[0].delta.tool_calls async for chunk in stream if chunk.choices[0].delta.tool_calls]
        assert [call.function.name for calls in called for call in calls] == ["get_weather"]


async def test_what_goes_wrong_before_the_first_word_is_an_error_like_any_other(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        assert "shorter" in await refused(agent, "too long", code="invalid_request", stream=True)
        assert "Ask again" in await refused(agent, "crash", code="model_failed", stream=True)


async def test_what_goes_wrong_later_is_said_last_and_the_next_question_is_answered(settings: AgentSettings) -> None:
    async with agent_with_a_model(settings) as agent:
        with pytest.raises(openai.APIError, match="its process ended by itself"):
            await pieces(agent, "crash halfway")
        assert pid_in(await ask(agent, "And now?"))


async def test_what_a_person_reads_is_masked_and_a_program_reads_all(settings: AgentSettings) -> None:
    words = "Write to mia.lund@example.org or call +49 170 1234567, she is there from nine to five on every weekday"
    async with agent_with_a_model(settings) as agent:
        shown = await pieces(agent, words, extra_headers={HEADER: header_of(TERMINAL)})
        assert "".join(shown).startswith("Write to [e-mail] or call [phone number], she is there")
        assert len([piece for piece in shown if piece]) > 2
        assert "".join(await pieces(agent, words)).startswith(words)


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "x" * 300,
        "Mail mia@example.org, " * 20,
        "Key: sk-" + "a1b2" * 40 + " and more words behind it that go on for a while, long enough to be given out",
        "-----BEGIN PRIVATE KEY-----\n" + "MIIE " * 60 + "\n-----END PRIVATE KEY----- and then some words",
        "card 4111 1111 1111 1111 and " + "so on " * 30,
    ],
)
@pytest.mark.parametrize("size", [1, 7])
def test_a_masked_stream_ends_as_the_masked_text(text: str, size: int) -> None:
    stream = MaskedStream()
    given = [stream.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join([*given, stream.end()]) == redact(text)
