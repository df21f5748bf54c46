"""The web application: the route table, the middleware, nothing else."""

import asyncio
import json

from aiohttp import web

from agent.api import (
    chat,
    chats,
    datasets,
    files,
    fixes,
    inspections,
    job_events,
    jobs,
    machine,
    models,
    people,
    plans,
    result_links,
    share,
)
from agent.api.authorization import guarded
from agent.api.keyring import KEYRING, Keyring
from agent.api.middleware import ask_for_key, errors_as_json
from agent.api.openapi import describe
from agent.api.route import Route
from agent.api.services import SERVICES, Services, services_of
from agent.api.sse import PAGES, SharedPages

BODY_LIMIT = 1024 * 1024  # bytes of JSON; uploads are streamed and have a limit of their own

ROUTES: tuple[Route, ...] = (
    *files.ROUTES,
    *datasets.ROUTES,
    *fixes.ROUTES,
    *result_links.ROUTES,
    *inspections.ROUTES,
    *plans.ROUTES,
    *jobs.ROUTES,
    *job_events.ROUTES,
    *share.ROUTES,
    *models.ROUTES,
    *chat.ROUTES,
    *machine.ROUTES,
    *people.ROUTES,
    *chats.ROUTES,
)


def build_app(services: Services) -> web.Application:
    """Make the application. It starts nothing and owns nothing: the caller closes the services."""
    app = web.Application(middlewares=[errors_as_json, ask_for_key], client_max_size=BODY_LIMIT)
    app[SERVICES] = services
    app[KEYRING] = Keyring(services)
    app[job_events.DRAWING] = asyncio.Lock()
    app[PAGES] = SharedPages()
    for route in ROUTES:
        app.router.add_route(route.method, route.path, guarded(route))
    app.router.add_get("/openapi.json", get_openapi)
    return app


async def get_openapi(request: web.Request) -> web.Response:
    """Return the OpenAPI document."""
    document = describe(ROUTES, version=services_of(request).version)
    return web.Response(text=json.dumps(document, indent=1), content_type="application/json")
