"""/v1/chat/completions: a tuned model, asked a question."""

from functools import partial

from aiohttp import web

from agent.api.authorization import ASKER, permit_more
from agent.api.chat_stream import ChatStream
from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.chat.protocol import ModelReply, Question
from agent.data.redact import redact
from agent.store import tuned_models
from agent.store.ids import new_id
from agent.store.people import ThingKind
from shared.chat import ChatAnswer, ChatCompletion, ChatRequest, Choice, Usage
from shared.people import Action


async def create_chat_completion(request: web.Request) -> web.StreamResponse:
    """Ask a tuned model. What is shown to a person in a chat has personal data and secrets masked."""
    services = services_of(request)
    body = await read_body(request, ChatRequest)
    model = await services.store.run(tuned_models.find, body.model)
    await permit_more(request, Action.try_model, ThingKind.job, model.job_id)
    question = Question(
        messages=body.messages,
        tools=body.offered,
        tool_choice=body.choice,
        max_tokens=body.token_limit,
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        in_pieces=body.stream,
    )
    if body.stream:
        stream = ChatStream(
            id=new_id("chatcmpl"),
            model=model.name,
            created=int(services.clock()),
            mask=request[ASKER].who is not None,
            with_usage=body.stream_options is not None and body.stream_options.include_usage,
        )
        return await stream.send(request, partial(services.answerer.ask, model, question))
    said = await services.answerer.ask(model, question)
    text = said.text if request[ASKER].who is None else redact(said.text)  # calls are for a program, which needs all
    return answer(_completion(model.name, said, text, now=int(services.clock())))


def _completion(model: str, said: ModelReply, text: str, *, now: int) -> ChatCompletion:
    told = ChatAnswer(content=text, tool_calls=said.tool_calls or None)
    return ChatCompletion(
        id=new_id("chatcmpl"),
        created=now,
        model=model,
        choices=[Choice(message=told, finish_reason=said.finish_reason)],
        usage=Usage(
            prompt_tokens=said.prompt_tokens,
            completion_tokens=said.completion_tokens,
            total_tokens=said.prompt_tokens + said.completion_tokens,
        ),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/chat/completions",
        handler=create_chat_completion,
        action=Action.try_model,
        summary="Ask a tuned model",
        body=ChatRequest,
        answer=ChatCompletion,
    ),
)
