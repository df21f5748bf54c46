"""/v1/fine_tuning/plans: a dry run, with reasons and costs."""

from aiohttp import web

from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.store import plans
from shared.plans import Plan, PlanRequest


async def create_plan(request: web.Request) -> web.Response:
    """Make a plan."""
    services = services_of(request)
    body = await read_body(request, PlanRequest)
    services.check_model(body.model)
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
        summary="Plan a run: resolved settings with reasons, time, memory, disk",
        body=PlanRequest,
        answer=Plan,
    ),
    Route(method="GET", path="/v1/fine_tuning/plans/{plan_id}", handler=get_plan, summary="Return a plan", answer=Plan),
)
