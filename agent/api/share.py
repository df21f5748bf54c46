"""/v1/fine_tuning/jobs/{id}/share.png: a finished model as one picture to post, of one answer agreed to."""

import asyncio

from aiohttp import web

from agent.api.job_events import CURVE_KINDS, DRAWING
from agent.api.queries import ShareQuery
from agent.api.route import Route, read_query
from agent.api.services import services_of
from agent.data.redact import redact
from agent.diagnosis.curve import LossCurve
from agent.errors import AgentError
from agent.report.share_picture import Shared, cannot_draw, draw_share_picture, share_alt_text
from agent.store import columns, events, jobs, plans
from shared.errors import ErrorCode
from shared.events import EventRecord
from shared.jobs import Job
from shared.language import _, ngettext
from shared.people import Action
from shared.results import JobResult

MINUTE_S = 60
LETTERS_SHOWN = 8


async def get_share_picture(request: web.Request) -> web.Response:
    """Draw the picture; `X-Alt-Text` says it in words. Personal data and secrets are masked."""
    wanted = read_query(request, ShareQuery).answer
    store = services_of(request).store
    job = await store.run(jobs.get, request.match_info["job_id"], now=services_of(request).clock())
    if job.result is None or wanted >= len(job.result.answers):
        raise AgentError(
            _("Job #{number} has no answer {place} to show.", number=job.number, place=wanted + 1),
            code=ErrorCode.not_found,
            param="answer",
        )
    device = (await store.run(plans.get, job.plan)).plan.device if job.plan is not None else ""
    texts = await store.run(events.texts_of, job.id, *CURVE_KINDS)
    async with request.app[DRAWING]:
        image, words = await asyncio.to_thread(_draw, job, job.result, wanted, device, texts)
    headers = {"X-Alt-Text": " ".join(words.split()), "Cache-Control": "no-store"}
    return web.Response(body=image, content_type="image/png", headers=headers)


def _draw(job: Job, result: JobResult, wanted: int, device: str, texts: list[str]) -> tuple[bytes, str]:
    records = [columns.read(EventRecord, text, of=job.id) for text in texts]
    answer = result.answers[wanted]
    minutes = max(1, round(result.train_seconds / MINUTE_S))
    shared = Shared(
        name=job.suffix,
        base_model=job.model.rpartition("/")[2],
        question=redact(answer.question),
        before=redact(answer.base),
        after=redact(answer.tuned),
        device=device,
        time=ngettext("{n} minute", "{n} minutes", minutes),
        curve=LossCurve.from_events([record for record in records if record is not None]),
    )
    if lacking := cannot_draw(shared.question, shared.before, shared.after):
        raise AgentError(
            _(
                "The picture's font has no letters like {letters}, so nobody could read it. Share another question.",
                letters=lacking[:LETTERS_SHOWN],
            ),
            code=ErrorCode.invalid_request,
            param="answer",
        )
    return draw_share_picture(shared), share_alt_text(shared)


ROUTES = (
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}/share.png",
        handler=get_share_picture,
        action=Action.watch_job,
        summary="Draw a question with the answers before and after, to post",
        query=ShareQuery,
        media="image/png",
    ),
)
