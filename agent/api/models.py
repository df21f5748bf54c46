"""/v1/models: what one may train, and what came out."""

import asyncio

from aiohttp import web

from agent.api.route import Route, answer
from agent.api.services import Services, services_of
from agent.errors import AgentError
from agent.plan.fitting import best_first
from agent.running.held_memory import once_free
from agent.store import jobs, measured_runs
from shared.errors import ErrorCode
from shared.language import _
from shared.models import Model, ModelList
from shared.people import Action


async def list_models(request: web.Request) -> web.Response:
    """List base models, those that suit this machine first, then tuned ones, newest first."""
    return answer(ModelList(data=await _models(services_of(request))))


async def get_model(request: web.Request) -> web.Response:
    """Return one of them; a tuned one also by its name without a version, which is the newest."""
    name = request.match_info["model_id"]
    found = next((it for it in await _models(services_of(request)) if name in (it.id, _short(it))), None)
    if found is None:
        raise AgentError(
            _("There is no model “{name}” here. GET /v1/models lists those there are.", name=name[:60]),
            code=ErrorCode.not_found,
            param="model",
        )
    return answer(found)


async def _models(services: Services) -> list[Model]:
    candidates = await asyncio.to_thread(services.base_models)
    machine = once_free(await asyncio.to_thread(services.machine), await services.held(services.store))
    base = best_first(candidates, machine, await services.store.run(measured_runs.newest))
    tuned = await services.store.run(jobs.tuned)
    return [*base, *tuned]


def _short(model: Model) -> str:
    return model.id.partition(":")[0] if model.kind == "tuned" else model.id


ROUTES = (
    Route(
        method="GET",
        path="/v1/models",
        handler=list_models,
        action=Action.see_machine,
        summary="List base and tuned models",
        answer=ModelList,
    ),
    Route(
        method="GET",
        path="/v1/models/{model_id}",
        handler=get_model,
        action=Action.see_machine,
        summary="Return a base or tuned model",
        answer=Model,
    ),
)
