"""Who asks, and whether they may: asked of every route before its handler runs."""

import functools
import logging
from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from agent.admission.bounds import Party
from agent.api.explain import explain
from agent.api.keyring import GIVEN, KEY, KEYRING
from agent.api.route import BODY, Handler, Route, read_body
from agent.api.services import services_of
from agent.auth.keys import Key, check_scope
from agent.auth.permissions import Reach, Thing, holds_key, needed
from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.errors import AgentError
from agent.store import people
from agent.store.people import ThingKind
from shared.errors import ErrorCode
from shared.jobs import Job, JobError
from shared.language import _, speaking, spoken
from shared.people import HEADER, HEADER_LIMIT, Action, RequestedBy, Role

log = logging.getLogger(__name__)

IN_PATH = {
    "job_id": ThingKind.job,
    "file_id": ThingKind.file,
    "plan_id": ThingKind.plan,
    "inspection_id": ThingKind.inspection,
}


@dataclass(frozen=True, kw_only=True)
class Asker:
    """On whose behalf a request is made, and what they are."""

    who: RequestedBy | None  # None: the holder of the key
    role: Role
    key: Key

    @property
    def sees_all(self) -> bool:
        """Say whether they see what others asked for elsewhere."""
        return self.role in (Role.owner, Role.admin)

    def reaches(self, maker: RequestedBy | None) -> bool:
        """Say whether they see all of what somebody asked for; a bot itself: what its people did."""
        if self.who is None and not self.key.is_owner:
            return maker is not None and self.key.covers(maker.platform)
        return self.sees_all or needed(self.who, Thing(name="", made_by=maker)) <= Reach.here

    @property
    def party(self) -> Party:
        """Return them as they are counted."""
        return Party(
            person=(self.who.platform, self.who.person) if self.who is not None else None,
            key=self.key.name,
            platforms=None if self.key.is_owner else self.key.platforms,
            unbounded=self.role is Role.owner,
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request was let in for."""

    action: Action
    kind: ThingKind | None
    key: str


ASKER = web.RequestKey("asker", Asker)
ASKED = web.RequestKey("asked", Asked)


def guarded(route: Route) -> Handler:
    """Return the route's handler behind the question whether the person may. Only an open route has no question."""
    action = route.action
    if action is None:
        if not route.open:
            raise ValueError(f"{route.method} {route.path} names no action, so nobody would be asked whether they may")
        return route.handler

    @functools.wraps(route.handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        who = _from_header(request)
        if route.body is not None:
            body = await read_body(request, route.body)
            who = request[KEY].speaks_for(agreed(who, getattr(body, "requested_by", None)))
            request[BODY] = body.model_copy(update={"requested_by": who})
        else:
            who = request[KEY].speaks_for(who)
        name = next((name for name in IN_PATH if name in request.match_info), None)
        with speaking(who.language if who is not None else spoken()):
            if name is None:
                await permit(request, who, action)
            else:
                await permit(request, who, action, IN_PATH[name], request.match_info[name])
            return await route.handler(request)

    return handle


async def permit(
    request: web.Request, who: RequestedBy | None, action: Action, kind: ThingKind | None = None, key: str = ""
) -> None:
    """Note who asks; raise not_allowed if they may not do this, or not with this thing."""
    came_with = request[KEY]
    role = Role.owner
    if not (came_with.is_owner and holds_key(who)):
        try:
            check_scope(came_with, action)
            role = await services_of(request).store.run(people.check, came_with, who, action, kind, key)
        except AgentError as refusal:
            if refusal.code is ErrorCode.not_allowed:
                name = who or f"key:{came_with.name}"
                log.info("refused: %s to %s%s", action, name, f", {kind} {key[:40]!r}" if kind else "")
            raise
    request[ASKER] = Asker(who=who, role=role, key=came_with)
    request.setdefault(ASKED, Asked(action=action, kind=kind, key=key))


async def still_permitted(request: web.Request) -> bool:
    """Say whether whoever asked for something that goes on may still have it: a key or a right may be gone since."""
    asked, came_with = request[ASKED], await request.app[KEYRING].find(request[GIVEN])
    if came_with is None:
        return False
    try:
        await permit(request, request[ASKER].who, asked.action, asked.kind, asked.key)
    except AgentError as refusal:
        return refusal.code is not ErrorCode.not_allowed
    return True


async def permit_more(request: web.Request, action: Action, kind: ThingKind, key: str) -> None:
    """Ask about a thing that the body names; raise not_allowed."""
    await permit(request, request[ASKER].who, action, kind, key)


async def check_model(request: web.Request, model: str) -> None:
    """Refuse a model that there is not, and one that this person needs the owner's yes for."""
    services = services_of(request)
    source = services.check_model(model)
    new = isinstance(source, BaseModelSource) and source.kind is SourceKind.hub
    if not new or request[ASKER].sees_all:
        return
    try:
        await services.store.run(people.must_be_approved, model)
    except AgentError:
        log.info("refused: the new model %s to %s", model, request[ASKER].who)
        raise


def agreed(header: RequestedBy | None, body: RequestedBy | None) -> RequestedBy | None:
    """Return on whose behalf header and body are; raise invalid_request if they differ."""
    if header is not None and body is not None and header != body:
        raise AgentError(
            _(
                "The header {header} speaks for {who}, requested_by in the body for {body}. Send one "
                "of them, or the same in both.",
                header=HEADER,
                who=header,
                body=body,
            ),
            code=ErrorCode.invalid_request,
            param="requested_by",
        )
    return header or body


def as_seen(request: web.Request, job: Job) -> Job:
    """Return the job, cut to its state for a member who asks from elsewhere about somebody else's."""
    if request[ASKER].reaches(job.requested_by):
        return job
    hidden: dict[str, object] = {"result_files": [], "metadata": None, "mapping": None, "result": None}
    if job.error is not None:
        told = _("It failed ({code}). Why is told in the chat where it was started.", code=job.error.code)
        return job.model_copy(update={**hidden, "error": JobError(code=job.error.code, message=told)})
    return job.model_copy(update=hidden)


def _from_header(request: web.Request) -> RequestedBy | None:
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if not text.isascii() or len(text) > HEADER_LIMIT or len(request.headers.getall(HEADER)) > 1:
        raise AgentError(
            _(
                "The header {header} must be given once, as ASCII JSON of at most {limit} characters.",
                header=HEADER,
                limit=HEADER_LIMIT,
            ),
            code=ErrorCode.invalid_request,
            param=HEADER,
        )
    try:
        return RequestedBy.model_validate_json(text)
    except ValidationError as error:
        refusal = explain(error, RequestedBy)
        message = _("The header {header} is not understood. {message}", header=HEADER, message=refusal.message)
        raise AgentError(message, code=ErrorCode.invalid_request, param=HEADER) from error
