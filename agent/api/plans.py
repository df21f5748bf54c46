"""/v1/fine_tuning/plans: a dry run, with reasons and costs."""

from aiohttp import web

from agent.admission.bounds import Use
from agent.api.authorization import ASKER, check_model, permit_more
from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.store import plans
from agent.store.people import ThingKind
from shared.people import Action
from shared.plans import Plan, PlanRequest


async def create_plan(request: web.Request) -> web.Response:
    """Make a plan."""
    services = services_of(request)
    body = await read_body(request, PlanRequest)
    await permit_more(request, Action.start_job, ThingKind.file, body.training_file)
    await check_model(request, body.model)
    with services.in_flight.inside(Use.plan, request[ASKER].party):
        return answer(await services.intake.plan(body))


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
        method="GET",
        path="/v1/fine_tuning/plans/{plan_id}",
        handler=get_plan,
        action=Action.see_plan,
        summary="Return a plan",
        answer=Plan,
    ),
)
