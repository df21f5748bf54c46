"""Watching a job: its events, its loss plot, its log."""

import asyncio

from aiohttp import web

from agent.api.queries import EventsQuery, LogQuery, PlotQuery
from agent.api.route import Route, answer, read_query
from agent.api.services import services_of
from agent.api.sse import last_event_id, stream_events
from agent.errors import AgentError
from agent.report.plot import DARK, LIGHT, LossCurve, Theme, alt_text, draw_loss_plot
from agent.store import columns, events, jobs
from shared.errors import ErrorCode
from shared.events import EventList, EventRecord
from shared.jobs import Job
from shared.language import _
from shared.log_file import last_lines
from shared.people import Action

THEMES = {"light": LIGHT, "dark": DARK}
CURVE_KINDS = ("progress", "evaluation")
DRAWING = web.AppKey("drawing", asyncio.Lock)  # matplotlib draws one plot at a time


async def list_events(request: web.Request) -> web.StreamResponse:
    """List a job's events newest first; with `stream`, send them as they come, oldest first."""
    query = read_query(request, EventsQuery)
    store = services_of(request).store
    job = await _job(request)
    if not query.stream:
        page, more = await store.run(events.newest, job.id, limit=query.limit, after=query.after)
        return answer(EventList(data=page, has_more=more))
    return await stream_events(
        request,
        feed=job.id,
        after=last_event_id(request) or 0,
        number=lambda event: event.sequence,
        read_page=lambda after: store.run(events.of_job, job.id, after=after),
        ended=lambda: store.run(jobs.is_finished, job.id),
    )


async def get_plot(request: web.Request) -> web.Response:
    """Draw the loss curve as it is now; `X-Alt-Text` says it in words."""
    theme = THEMES[read_query(request, PlotQuery).theme]
    job = await _job(request)
    texts = await services_of(request).store.run(events.texts_of, job.id, *CURVE_KINDS)
    if not texts:
        raise AgentError(
            _("Job #{number} has no loss curve yet; it begins with the first step.", number=job.number),
            code=ErrorCode.not_found,
        )
    async with request.app[DRAWING]:
        image, words = await asyncio.to_thread(_draw, texts, f"#{job.number} {job.suffix}", theme)
    headers = {"X-Alt-Text": " ".join(words.split()), "Cache-Control": "no-store"}
    return web.Response(body=image, content_type="image/png", headers=headers)


async def get_log(request: web.Request) -> web.Response:
    """Return the end of the trainer's log."""
    lines = read_query(request, LogQuery).tail
    job = await _job(request)
    folder = services_of(request).settings.job_folder(job.id)
    text = "\n".join(await asyncio.to_thread(last_lines, folder.log, lines))
    return web.Response(text=text + "\n" if text else "", content_type="text/plain")


async def _job(request: web.Request) -> Job:
    services = services_of(request)
    return await services.store.run(jobs.get, request.match_info["job_id"], now=services.clock())


def _draw(texts: list[str], title: str, theme: Theme) -> tuple[bytes, str]:
    records = [columns.read(EventRecord, text, of=title) for text in texts]
    curve = LossCurve.from_events([record for record in records if record is not None])
    return draw_loss_plot(curve, title=title, theme=theme), alt_text(curve)


ROUTES = (
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}/events",
        handler=list_events,
        action=Action.watch_job,
        summary="List a job's events, or stream them",
        query=EventsQuery,
        answer=EventList,
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}/plot.png",
        handler=get_plot,
        action=Action.watch_job,
        summary="Draw the loss curve as it is now",
        query=PlotQuery,
        media="image/png",
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}/log",
        handler=get_log,
        action=Action.watch_job,
        summary="Return the end of the trainer's log",
        query=LogQuery,
        media="text/plain",
    ),
)
