"""/v1/fine_tuning/plans: a dry run, with reasons and costs."""

from aiohttp import web

from agent.admission.bounds import Use
from agent.api.authorization import ASKER, check_model, permit_more
from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.intake.job_again import request_again
from agent.store import jobs, plans
from agent.store.people import ThingKind
from shared.people import Action
from shared.plans import Plan, PlanChanges, PlanRequest


async def create_plan(request: web.Request) -> web.Response:
    """Make a plan."""
    return answer(await _plan(request, await read_body(request, PlanRequest)))


async def plan_job_again(request: web.Request) -> web.Response:
    """Make a plan like that of an earlier job, with what is to differ."""
    services = services_of(request)
    changes = await read_body(request, PlanChanges)
    job = await services.store.run(jobs.get, request.match_info["job_id"], now=services.clock())
    return answer(await _plan(request, request_again(job, changes)))


async def _plan(request: web.Request, wanted: PlanRequest) -> Plan:
    services = services_of(request)
    for file in filter(None, (wanted.training_file, wanted.validation_file)):
        await permit_more(request, Action.start_job, ThingKind.file, file)
    await check_model(request, wanted.model)
    with services.in_flight.inside(Use.plan, request[ASKER].party):
        return await services.intake.plan(wanted)


async def get_plan(request: web.Request) -> web.Response:
    """Return a plan made before."""
    stored = await services_of(request).store.run(plans.get, request.match_info["plan_id"])
    return answer(stored.plan)


ROUTES = (
    Route(
        method="POST",
        path="/v1/fine_tuning/plans",
        handler=create_plan,
        action=Action.start_job,
        summary="Plan a run: resolved settings with reasons, time, memory, disk",
        body=PlanRequest,
        answer=Plan,
    ),
    Route(
        method="POST",
        path="/v1/fine_tuning/jobs/{job_id}/plans",
        handler=plan_job_again,
        action=Action.start_job,
        summary="Plan an earlier job once more, with what is to differ",
        body=PlanChanges,
        answer=Plan,
    ),
    Route(
        method="GET",
        path="/v1/fine_tuning/plans/{plan_id}",
        handler=get_plan,
        action=Action.see_plan,
        summary="Return a plan",
        answer=Plan,
    ),
)
