"""/v1/people and /v1/models/approvals: pairing, who is allowed what, which new models the owner said yes to."""

import logging

from aiohttp import web

from agent.api.authorization import ASKER, Asker
from agent.api.keyring import KEY
from agent.api.route import Route, answer, read_body
from agent.api.services import Services, services_of
from agent.auth.keys import BOT_ITSELF, SECRET
from agent.auth.pairing import ON_REQUEST_S
from agent.auth.permissions import abilities, holds_key
from agent.errors import AgentError
from agent.store import people
from shared.errors import ErrorCode, HearthError
from shared.language import _
from shared.models import Approval, ApprovalRequest
from shared.people import (
    Action,
    DenyRequest,
    Grant,
    GrantDeleted,
    GrantKind,
    GrantRequest,
    Me,
    PairingCode,
    PairingRequest,
    PairRequest,
    PeopleList,
    Role,
)

log = logging.getLogger(__name__)

BY_KEY = "the holder of the key"


async def list_people(request: web.Request) -> web.Response:
    """List who is allowed or denied, and the models that were said yes to."""
    store = services_of(request).store
    everybody = await store.run(people.load)
    return answer(PeopleList(data=list(everybody.grants), approved_models=await store.run(people.approved_models)))


async def get_me(request: web.Request) -> web.Response:
    """Say what the person who asks is, and what they may do."""
    return answer(await _describe(request))


async def _describe(request: web.Request) -> Me:
    everybody = await services_of(request).store.run(people.load)
    asker = request[ASKER]
    may = BOT_ITSELF if asker.who is None and not asker.key.is_owner else abilities(asker.who, everybody)
    return Me(
        role=asker.role,
        may=[action for action in may if asker.key.is_owner or action not in SECRET],
        owned=bool(everybody.owners),
        owner_names=[owner.name for owner in everybody.owners],
    )


async def get_code(request: web.Request) -> web.Response:
    """Return the pairing code, if there is one."""
    return answer(_code(services_of(request)))


async def make_code(request: web.Request) -> web.Response:
    """Make a new pairing code; with an owner there already, it holds for a quarter of an hour."""
    services = services_of(request)
    owned = bool((await services.store.run(people.load)).owners)
    services.pairing.renew(holds_s=ON_REQUEST_S if owned else None)
    log.info("a new pairing code was made for %s", request[ASKER].who or BY_KEY)
    return answer(_code(services))


def _code(services: Services) -> PairingCode:
    code = services.pairing.code()
    return PairingCode(code=code.text if code else None, expires_in_s=services.pairing.seconds_left())


async def pair(request: web.Request) -> web.Response:
    """Make whoever says the code the owner."""
    services = services_of(request)
    body = await read_body(request, PairRequest)
    who = body.requested_by
    if who is None or holds_key(who):
        raise AgentError(
            _("Pairing is for people in Discord and Telegram: say /pair there. Here you may do everything already."),
            code=ErrorCode.invalid_request,
            param="requested_by",
        )
    try:
        code = services.pairing.take(body.code, who)
    except HearthError as refusal:
        log.warning("refused: pairing of %s: %s", who, refusal.code)
        raise
    try:
        await services.store.run(people.pair, who, now=services.clock())
    except Exception:
        services.pairing.give_back(code)
        raise
    log.info("paired: %s is the owner on %s", who, who.platform)
    request[ASKER] = Asker(who=who, role=Role.owner, key=request[KEY])
    return answer(await _describe(request))


async def create_grant(request: web.Request) -> web.Response:
    """Allow a person, a role, a chat or a server, or change what they are."""
    services = services_of(request)
    body = await read_body(request, GrantRequest)
    check_platform(request, body.platform)
    if body.role == Role.admin and body.kind in (GrantKind.chat, GrantKind.server):
        raise AgentError(
            _(
                "A {kind} can be a member at most: an admin acts on everybody's jobs. Make people or roles admins.",
                kind=body.kind,
            ),
            code=ErrorCode.invalid_request,
            param="role",
        )
    made = await services.store.run(
        people.grant,
        platform=body.platform,
        kind=body.kind,
        subject=body.id,
        name=body.name,
        role=Role(body.role),
        now=services.clock(),
    )
    log.info("allowed: %s %s %s as %s, by %s", *_named(made), made.role, body.requested_by or BY_KEY)
    return answer(made)


async def deny_person(request: web.Request) -> web.Response:
    """Deny a person, whatever their chat, server or platform roles are allowed."""
    services = services_of(request)
    body = await read_body(request, DenyRequest)
    check_platform(request, body.platform)
    made = await services.store.run(
        people.grant,
        platform=body.platform,
        kind=GrantKind.person,
        subject=body.id,
        name=body.name,
        role=Role.denied,
        now=services.clock(),
    )
    log.info("denied: %s %s %s, by %s", *_named(made), body.requested_by or BY_KEY)
    return answer(made)


async def delete_grant(request: web.Request) -> web.Response:
    """Take away what was allowed or denied."""
    platform, kind, subject = (request.match_info[name] for name in ("platform", "kind", "id"))
    if kind not in list(GrantKind):
        raise AgentError(
            _("“{kind}” is no kind of grant. Known: {known}.", kind=kind[:60], known=", ".join(GrantKind)),
            code=ErrorCode.invalid_request,
        )
    check_platform(request, platform)
    who = request[ASKER].who
    await services_of(request).store.run(
        people.take_away, platform=platform, kind=GrantKind(kind), subject=subject, also_owner=holds_key(who)
    )
    log.info("taken away: %s %s %s, by %s", platform, kind, subject, who or BY_KEY)
    return answer(GrantDeleted(platform=platform, kind=GrantKind(kind), id=subject))


async def approve_model(request: web.Request) -> web.Response:
    """Store the owner's yes to a model; members may name it from now on."""
    services = services_of(request)
    body = await read_body(request, ApprovalRequest)
    services.check_model(body.model)
    approval = await services.store.run(people.approve, body.model, now=services.clock())
    log.info("approved: the model %s, by %s", body.model, body.requested_by or BY_KEY)
    return answer(approval)


def check_platform(request: web.Request, platform: str) -> None:
    """Refuse to change, with a bot's key, who is what on a platform that is not the bot's."""
    key = request[KEY]
    if not key.covers(platform):
        raise AgentError(
            _(
                "The key “{key}” is for {platforms}, so nobody on {platform} is changed with it. Do that there.",
                key=key.name,
                platforms=" / ".join(key.platforms),
                platform=platform,
            ),
            code=ErrorCode.not_allowed,
        )


def _named(grant: Grant) -> tuple[str, str, str]:
    return grant.platform, grant.kind, f"{grant.name or 'without a name'} ({grant.id})"


ROUTES = (
    Route(
        method="GET",
        path="/v1/people",
        handler=list_people,
        summary="List who is allowed or denied",
        answer=PeopleList,
        action=Action.see_people,
    ),
    Route(
        method="GET",
        path="/v1/people/me",
        handler=get_me,
        summary="Say what the person who asks is and may do",
        answer=Me,
        action=Action.see_self,
    ),
    Route(
        method="GET",
        path="/v1/people/pairing",
        handler=get_code,
        summary="Return the pairing code to the holder of the key",
        answer=PairingCode,
        action=Action.read_code,
    ),
    Route(
        method="POST",
        path="/v1/people/pairing",
        handler=make_code,
        summary="Make a new pairing code",
        body=PairingRequest,
        answer=PairingCode,
        action=Action.make_code,
    ),
    Route(
        method="POST",
        path="/v1/people/pair",
        handler=pair,
        summary="Become the owner with the pairing code",
        body=PairRequest,
        answer=Me,
        action=Action.pair,
    ),
    Route(
        method="POST",
        path="/v1/people/grants",
        handler=create_grant,
        summary="Allow a person, a role, a chat or a server",
        body=GrantRequest,
        answer=Grant,
        action=Action.change_people,
    ),
    Route(
        method="POST",
        path="/v1/people/deny",
        handler=deny_person,
        summary="Deny a person",
        body=DenyRequest,
        answer=Grant,
        action=Action.change_people,
    ),
    Route(
        method="DELETE",
        path="/v1/people/grants/{platform}/{kind}/{id}",
        handler=delete_grant,
        summary="Take away what was allowed or denied",
        answer=GrantDeleted,
        action=Action.change_people,
    ),
    Route(
        method="POST",
        path="/v1/models/approvals",
        handler=approve_model,
        summary="Say yes to a model from Hugging Face",
        body=ApprovalRequest,
        answer=Approval,
        action=Action.approve_model,
    ),
)
