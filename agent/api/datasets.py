"""/v1/datasets: what nobody used for long, for who may remove it."""

from aiohttp import web

from agent.api.authorization import ASKER
from agent.api.route import Route, answer
from agent.api.services import services_of
from agent.auth.permissions import holds_key
from agent.store import unused
from shared.files import UnusedDatasets
from shared.people import Action, Role

DAY_S = 24 * 3600


async def list_unused_datasets(request: web.Request) -> web.Response:
    """List the unused datasets of a person, to the owner those of everybody; where others read along, of that chat."""
    services, asker = services_of(request), request[ASKER]
    who, now, days = asker.who, services.clock(), services.settings.hearth_unused_days
    alone = who is None or who.private or holds_key(who)
    found = await services.store.run(
        unused.listing,
        now=now,
        since=now - days * DAY_S,
        of=None if asker.role is Role.owner else who,
        sent_in=None if alone else who,
    )
    return answer(UnusedDatasets(data=found, bytes=sum(file.bytes for file in found), days=days))


ROUTES = (
    Route(
        method="GET",
        path="/v1/datasets/unused",
        handler=list_unused_datasets,
        action=Action.delete_file,
        summary="List the datasets that nobody used for long and nothing refers to",
        answer=UnusedDatasets,
    ),
)
