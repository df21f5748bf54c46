"""/v1/files/{id}/inspections and /v1/inspections: what is in this file, as a base model will see it."""

import asyncio
import logging
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from agent.admission.bounds import Use
from agent.api.authorization import ASKER, check_model
from agent.api.job_events import DRAWING
from agent.api.queries import WaitQuery
from agent.api.route import Route, answer, read_body, read_query, wait_for
from agent.api.services import services_of
from agent.errors import AgentError
from agent.report.dataset_report import dataset_report, report_name
from agent.report.length_plot import draw_lengths, lengths_in_words
from agent.store import files, inspections
from shared.errors import ErrorCode
from shared.inspections import Inspection, InspectionRequest
from shared.language import N_, _
from shared.people import Action

log = logging.getLogger(__name__)


async def create_inspection(request: web.Request) -> web.Response:
    """Start an inspection; its answer comes later."""
    services = services_of(request)
    body = await read_body(request, InspectionRequest)
    await check_model(request, body.model)
    leave = services.in_flight.enter(Use.inspection, request[ASKER].party)
    inspection = await services.intake.inspect(request.match_info["file_id"], body, ended=leave)
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
            progress = services.intake.progress_of(inspection.id)
            return answer(inspection.model_copy(update={"progress": progress}) if progress else inspection)
        await wait_for(news, left)


async def get_report(request: web.Request) -> web.Response:
    """Return the full report as one HTML file, its picture inside, in the language of whoever asks."""
    inspection, name = await _completed(request)
    async with request.app[DRAWING]:
        page = await asyncio.to_thread(dataset_report, inspection, name)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(report_name(name), safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    }
    return web.Response(text=page, content_type="text/html", headers=headers)


async def get_lengths(request: web.Request) -> web.Response:
    """Draw how long the rows are and what max_length does to them; `X-Alt-Text` says it in words."""
    inspection, name = await _completed(request)
    assert inspection.lengths is not None
    async with request.app[DRAWING]:
        image = await asyncio.to_thread(draw_lengths, inspection.lengths, title=name)
    headers = {"X-Alt-Text": lengths_in_words(inspection.lengths), "Cache-Control": "no-store"}
    return web.Response(body=image, content_type="image/png", headers=headers)


async def _completed(request: web.Request) -> tuple[Inspection, str]:
    """Return an inspection that ended well, and the name of its file; raise not_found."""
    store = services_of(request).store
    inspection = await store.run(inspections.get, request.match_info["inspection_id"])
    if inspection.status != "completed" or inspection.lengths is None:
        raise AgentError(
            _("There is no report of this inspection: it is {status}. Inspect the file again.",
              status=_(_STATUS_WORDS[inspection.status])),
            code=ErrorCode.not_found,
        )  # fmt: skip
    stored = await store.run(files.get, inspection.file_id)
    return inspection, stored.file.filename


_STATUS_WORDS = {"running": N_("still running"), "failed": N_("failed"), "completed": N_("an old one")}

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
    Route(
        method="GET",
        path="/v1/inspections/{inspection_id}/report",
        handler=get_report,
        action=Action.see_file,
        summary="Return the full report of an inspection",
        media="text/html",
    ),
    Route(
        method="GET",
        path="/v1/inspections/{inspection_id}/lengths.png",
        handler=get_lengths,
        action=Action.see_file,
        summary="Draw how long the rows are, and what is cut",
        media="image/png",
    ),
)
