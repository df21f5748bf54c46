"""Finished models, asked: all of them say what a test wants."""

import re
from typing import TYPE_CHECKING

from aiohttp import web

from shared.chat import (
    ChatAnswer,
    ChatChunk,
    ChatCompletion,
    ChatRequest,
    Choice,
    ChunkChoice,
    ChunkDelta,
    Usage,
)
from shared.errors import ErrorBody, ErrorCode
from shared.people import Action
from tests.fakes.agent_server.answers import answer, refusal
from tests.fakes.agent_server.facts import NOW
from tests.fakes.agent_server.rights import Rule, asker

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent


class ChatRoutes:
    """/v1/chat/completions."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._agent = agent

    def rules(self) -> list[Rule]:
        return [Rule("POST", "/v1/chat/completions", self._answer, Action.try_model)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = ChatRequest.model_validate_json(await request.read())
        made = [job for job in self._agent.jobs.values() if job.fine_tuned_model == asked.model]
        if not made:
            raise KeyError(f"tuned model {asked.model}")
        self._agent.people.check(asker(request), Action.try_model, "job", made[-1].id)
        self._agent.questions.append(asked)
        if sum(len(it.content or "") for it in asked.messages) > self._agent.reads:
            too_long = refusal(ErrorCode.invalid_request, "The question has 5000 tokens.")
            return answer(ErrorBody(error=too_long.model_copy(update={"param": "messages"})), status=400)
        if asked.stream:
            return await self._stream(request, asked.model)
        choice = Choice(message=ChatAnswer(content=self._agent.says), finish_reason=self._agent.finish_reason)
        usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
        return answer(ChatCompletion(id="chatcmpl-1", created=NOW, model=asked.model, choices=[choice], usage=usage))

    async def _stream(self, request: web.Request, model: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        pieces = re.findall(r"\s*\S+", self._agent.says)
        choices = [ChunkChoice(delta=ChunkDelta(role="assistant", content=""))]
        choices += [ChunkChoice(delta=ChunkDelta(content=piece)) for piece in pieces]
        choices += [ChunkChoice(delta=ChunkDelta(), finish_reason=self._agent.finish_reason)]
        for choice in choices:
            if self._agent.breaks_off and choice.finish_reason:
                error = refusal(ErrorCode.model_failed, "llama.cpp could not run it.")
                await response.write(f"data: {ErrorBody(error=error).model_dump_json()}\n\n".encode())
                return response
            chunk = ChatChunk(id="chatcmpl-1", created=NOW, model=model, choices=[choice])
            await response.write(f"data: {chunk.model_dump_json()}\n\n".encode())
            await self._agent.between_words()
        await response.write(b"data: [DONE]\n\n")
        return response
