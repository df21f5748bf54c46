"""One row of the route table, and how a request's body and query become models."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from agent.api.explain import explain
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.people import Action
from shared.schema import Request, Response

Model = TypeVar("Model", bound=Request)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """What the app registers and the OpenAPI document describes."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[Request] | None = None
    query: type[Request] | None = None
    form: bool = False  # a multipart upload
    answer: type[Response] | None = None
    media: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK
    action: Action | None = None  # what `agent.auth.permissions` is asked about; None: of an open route alone
    open: bool = False  # needs no key


BODY = web.RequestKey("body", Request)  # as parsed, with whoever asks filled in


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """Parse a JSON body. Raise AgentError with one plain sentence."""
    known = request.get(BODY)
    if isinstance(known, model):
        return known
    body = await request.read()
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise explain(error, model) from error


def read_query(request: web.Request, model: type[Model]) -> Model:
    """Parse the query string. Raise AgentError with one plain sentence."""
    twice = next((name for name in request.query if len(request.query.getall(name)) > 1), None)
    if twice:
        raise AgentError(f"{twice} is given twice; give it once.", code=ErrorCode.invalid_request, param=twice)
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise explain(error, model) from error


def answer(model: Response, *, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return a model as JSON."""
    return web.Response(body=model.model_dump_json().encode(), status=status, content_type="application/json")


async def wait_for(news: asyncio.Event, seconds: float) -> bool:
    """Wait for news, but not for ever; say whether there was some."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True
