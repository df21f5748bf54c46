"""/v1/models: what one may train, and what came out."""

import asyncio

from aiohttp import web

from agent.api.route import Route, answer
from agent.api.services import services_of
from agent.plan.fitting import best_first
from agent.running.held_memory import once_free
from agent.store import jobs, measured_runs
from shared.models import ModelList
from shared.people import Action


async def list_models(request: web.Request) -> web.Response:
    """List base models, those that suit this machine first, then tuned ones, newest first."""
    services = services_of(request)
    candidates = await asyncio.to_thread(services.base_models)
    machine = once_free(await asyncio.to_thread(services.machine), await services.held(services.store))
    base = best_first(candidates, machine, await services.store.run(measured_runs.newest))
    tuned = await services.store.run(jobs.tuned)
    return answer(ModelList(data=[*base, *tuned]))


ROUTES = (
    Route(
        method="GET",
        path="/v1/models",
        handler=list_models,
        action=Action.see_machine,
        summary="List base and tuned models",
        answer=ModelList,
    ),
)
