"""Finished models, asked: all of them say what a test wants."""

from typing import TYPE_CHECKING

from aiohttp import web

from shared.chat import ChatAnswer, ChatCompletion, ChatRequest, Choice, Usage
from shared.people import Action
from tests.fakes.agent_server.answers import answer
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

    async def _answer(self, request: web.Request) -> web.Response:
        asked = ChatRequest.model_validate_json(await request.read())
        made = [job for job in self._agent.jobs.values() if job.fine_tuned_model == asked.model]
        if not made:
            raise KeyError(f"tuned model {asked.model}")
        self._agent.people.check(asker(request), Action.try_model, "job", made[-1].id)
        self._agent.questions.append(asked)
        choice = Choice(message=ChatAnswer(content=self._agent.says), finish_reason=self._agent.finish_reason)
        usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
        return answer(ChatCompletion(id="chatcmpl-1", created=NOW, model=asked.model, choices=[choice], usage=usage))
