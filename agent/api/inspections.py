"""/v1/files/{id}/inspections and /v1/inspections: what is in this file, as a base model will see it."""

import asyncio
import logging
from http import HTTPStatus

from aiohttp import web

from agent.api.queries import WaitQuery
from agent.api.rights import check_model
from agent.api.route import Route, answer, read_body, read_query, wait_for
from agent.api.services import services_of
from agent.store import inspections
from shared.inspections import Inspection, InspectionRequest
from shared.people import Action

log = logging.getLogger(__name__)


async def create_inspection(request: web.Request) -> web.Response:
    """Start an inspection; its answer comes later."""
    services = services_of(request)
    body = await read_body(request, InspectionRequest)
    await check_model(request, body.model)
    inspection = await services.intake.inspect(request.match_info["file_id"], body)
    log.info("%s: asked for by %s", inspection.id, body.requested_by or "the owner of the key")
    return answer(inspection, status=HTTPStatus.ACCEPTED)


async def get_inspection(request: web.Request) -> web.Response:
    """Return an inspection; with `wait_s`, when it is finished or that long has passed."""
    services = services_of(request)
    wait_s = read_query(request, WaitQuery).wait_s
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        news = services.store.bell.listen()
        inspection = await services.store.run(inspections.get, request.match_info["inspection_id"])
        left = deadline - loop.time()
        if inspection.status != "running" or left <= 0:
            return answer(inspection)
        await wait_for(news, left)


ROUTES = (
    Route(
        method="POST",
        path="/v1/files/{file_id}/inspections",
        handler=create_inspection,
        action=Action.start_job,
        summary="Inspect a dataset as a base model will see it",
        body=InspectionRequest,
        answer=Inspection,
        status=HTTPStatus.ACCEPTED,
    ),
    Route(
        method="GET",
        path="/v1/inspections/{inspection_id}",
        handler=get_inspection,
        action=Action.see_file,
        summary="Return an inspection, waiting for its end if asked to",
        query=WaitQuery,
        answer=Inspection,
    ),
)
