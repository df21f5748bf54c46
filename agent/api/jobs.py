"""/v1/fine_tuning/jobs: OpenAI's fine-tuning jobs, on this machine."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from agent.api.authorization import ASKER, as_seen, check_model, permit_more
from agent.api.queries import PageQuery
from agent.api.route import Route, answer, read_body, read_query
from agent.api.services import Services, services_of
from agent.errors import AgentError
from agent.intake.validation import check_validation, must_be_dataset
from agent.job_folder.steering import steer
from agent.store import files, jobs, new_jobs
from agent.store.people import ThingKind
from shared.errors import ErrorCode
from shared.jobs import CheckpointList, Job, JobAction, JobList, JobRequest, JobStatus, Steering, SteerRequest
from shared.language import _
from shared.people import Action

log = logging.getLogger(__name__)

IDEMPOTENCY_KEY = "Idempotency-Key"


async def create_job(request: web.Request) -> web.Response:
    """Store a job and return it; from here on it is not lost."""
    services = services_of(request)
    body = await read_body(request, JobRequest)
    _check_request(body)
    if body.plan is not None:
        await permit_more(request, Action.use_plan, ThingKind.plan, body.plan)
    if body.model is not None and body.training_file is not None:
        await check_model(request, body.model)
        await permit_more(request, Action.start_job, ThingKind.file, body.training_file)
        file = (await services.store.run(files.get, body.training_file)).file
        must_be_dataset(file)
        if body.validation_file is not None:
            await permit_more(request, Action.start_job, ThingKind.file, body.validation_file)
            check_validation((await services.store.run(files.get, body.validation_file)).file, file)
    key = _idempotency_key(request)
    created = await services.store.run(
        new_jobs.create, body, now=services.clock(), idempotency_key=key, party=request[ASKER].party
    )
    if created.new and created.job.status is JobStatus.validating_files:
        services.intake.validate(created.job)
    return answer(as_seen(request, with_signs(created.job, services)))


async def list_jobs(request: web.Request) -> web.Response:
    """List the jobs, those of others in short."""
    services = services_of(request)
    query = read_query(request, PageQuery)
    page, more = await services.store.run(jobs.listing, limit=query.limit, after=query.after, now=services.clock())
    return answer(JobList(data=[as_seen(request, with_signs(job, services)) for job in page], has_more=more))


async def get_job(request: web.Request) -> web.Response:
    """Return one job."""
    services = services_of(request)
    job = await services.store.run(jobs.get, request.match_info["job_id"], now=services.clock())
    return answer(as_seen(request, with_signs(job, services)))


async def cancel_job(request: web.Request) -> web.Response:
    """Cancel a job: at once if it waits, within ten seconds if it runs."""
    return await _act(request, jobs.request_cancel, "cancel")


async def pause_job(request: web.Request) -> web.Response:
    """Pause a running job: its memory is free within half a minute, and other jobs may run."""
    return await _act(request, jobs.request_pause, "pause")


async def resume_job(request: web.Request) -> web.Response:
    """Put a paused job back in line; it goes on where it was."""
    return await _act(request, jobs.request_resume, "resume")


async def steer_job(request: web.Request) -> web.Response:
    """Leave a wish for a training that runs; it is heard at the end of its step, or when a paused job goes on."""
    services = services_of(request)
    body = await read_body(request, SteerRequest)
    job = await services.store.run(jobs.get, request.match_info["job_id"], now=services.clock())
    if job.status not in (JobStatus.running, JobStatus.paused):
        raise AgentError(
            _("Job #{number} does not train now, so there is nothing to change about it.", number=job.number),
            code=ErrorCode.job_not_running,
        )
    if body.what in (Steering.finish, Steering.finish_epoch) and not (job.progress is not None and job.progress.step):
        raise AgentError(
            _("Job #{number} has not learned anything yet that a model could be made of.", number=job.number),
            code=ErrorCode.job_not_running,
        )
    folder = services.settings.job_folder(job.id)
    await asyncio.to_thread(steer, folder, body.what, number=job.number)
    log.info("%s: %s asked for by %s", job.id, body.what.value, body.requested_by or "the owner of the key")
    return answer(with_signs(job, services))


async def _act(request: web.Request, action: Callable[..., Job], name: str) -> web.Response:
    services = services_of(request)
    body = await read_body(request, JobAction)
    job = await services.store.run(action, request.match_info["job_id"], now=services.clock())
    log.info("%s: %s asked for by %s", job.id, name, body.requested_by or "the owner of the key")
    return answer(with_signs(job, services))


def with_signs(job: Job, services: Services) -> Job:
    """Add how the trainer of a running job does, as its supervisor sees it now."""
    signs = services.signs(job.id) if job.status is JobStatus.running else None
    if signs is None:
        return job
    ages = {"proof_age_s": round(signs.proof_age_s), "work_age_s": round(signs.work_age_s)}
    return job.model_copy(update={"health": signs.health, **ages})


async def list_checkpoints(request: web.Request) -> web.Response:
    """List a job's checkpoints."""
    store = services_of(request).store
    query = read_query(request, PageQuery)
    page, more = await store.run(jobs.checkpoints, request.match_info["job_id"], limit=query.limit, after=query.after)
    return answer(CheckpointList(data=page, has_more=more))


def _check_request(body: JobRequest) -> None:
    if body.plan is not None:
        settled = (
            "model",
            "training_file",
            "validation_file",
            "mapping",
            "method",
            "hyperparameters",
            "suffix",
            "seed",
        )
        extra = next((name for name in settled if getattr(body, name) is not None), None)
        if extra:
            raise AgentError(
                _("{extra} is settled by the plan. Leave it out, or make a new plan with it.", extra=extra),
                code=ErrorCode.invalid_request,
                param=extra,
            )
        return
    missing = next((name for name in ("model", "training_file") if getattr(body, name) is None), None)
    if missing:
        raise AgentError(
            _("{missing} is missing. Give model and training_file, or a plan that has settled them.", missing=missing),
            code=ErrorCode.invalid_request,
            param=missing,
        )
    if body.method is not None and body.hyperparameters is not None:
        raise AgentError(
            _("hyperparameters is given beside method. Give them inside method.supervised only."),
            code=ErrorCode.invalid_request,
            param="hyperparameters",
        )


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise AgentError(
            _("Idempotency-Key must be 1 to 255 printable ASCII characters."),
            code=ErrorCode.invalid_request,
            param=IDEMPOTENCY_KEY,
        )
    return key


ROUTES = (
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs",
        handler=create_job,
        action=Action.start_job,
        summary="Start a job, from a plan or as OpenAI does",
        body=JobRequest,
        answer=Job,
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs",
        handler=list_jobs,
        action=Action.see_queue,
        summary="List jobs",
        query=PageQuery,
        answer=JobList,
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}",
        handler=get_job,
        action=Action.see_queue,
        summary="Return a job by its id or its number",
        answer=Job,
    ),
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs/{job_id}/cancel",
        handler=cancel_job,
        action=Action.cancel_job,
        summary="Cancel a job; what was trained is kept",
        body=JobAction,
        answer=Job,
    ),
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs/{job_id}/pause",
        handler=pause_job,
        action=Action.pause_job,
        summary="Pause a running job; it goes on later from where it was",
        body=JobAction,
        answer=Job,
    ),
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs/{job_id}/resume",
        handler=resume_job,
        action=Action.resume_job,
        summary="Put a paused job back in line",
        body=JobAction,
        answer=Job,
    ),
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs/{job_id}/steer",
        handler=steer_job,
        action=Action.cancel_job,
        summary="Change a training that runs: end it early with a model, lower its rate, save now",
        body=SteerRequest,
        answer=Job,
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/jobs/{job_id}/checkpoints",
        handler=list_checkpoints,
        action=Action.watch_job,
        summary="List a job's checkpoints",
        query=PageQuery,
        answer=CheckpointList,
    ),
)
