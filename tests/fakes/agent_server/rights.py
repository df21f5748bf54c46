"""Who may do what: nobody is asked until a test says `guard`; then the real agent's own rules decide."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiohttp import web
from pydantic import BaseModel, ValidationError

from agent.auth.permissions import People, Reach, Thing, authorize, holds_key, needed, role_of
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.jobs import Job
from shared.language import speaking
from shared.people import HEADER, Action, Grant, GrantKind, RequestedBy, Role

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WHO = web.RequestKey("who", object)


@dataclass(frozen=True)
class Rule:
    """A route, and what one must be allowed for it."""

    method: str
    path: str
    handler: Handler
    action: Action | None  # None: open to all
    thing: Literal["job", "file", "plan", ""] = ""  # what the id in its path names


class _Body(BaseModel):
    requested_by: RequestedBy | None = None


class Rights:
    """Grants, and the question whether somebody may."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._agent = agent
        self.asks = False
        self.grants: list[Grant] = []
        self.code: str | None = None
        self.new_models: set[str] = set()  # those that need the owner's yes
        self.approved: list[str] = []

    def guard(self, code: str | None = "ABCD-2345") -> None:
        """Let nobody do anything until they are allowed."""
        self.asks, self.code = True, code

    def own(self, platform: str, person: str, name: str) -> None:
        """Guard the machine of an owner."""
        self.guard(None)
        self.grant(platform, GrantKind.person, person, name, Role.owner)

    def grant(self, platform: str, kind: GrantKind, id: str, name: str, role: Role = Role.member) -> Grant:
        self.take_away(platform, kind, id)
        made = Grant(platform=platform, kind=kind, id=id, name=name, role=role, created_at=self._agent.now)
        self.grants.append(made)
        return made

    def take_away(self, platform: str, kind: GrantKind, id: str) -> bool:
        left = [grant for grant in self.grants if (grant.platform, grant.kind, grant.id) != (platform, kind, id)]
        taken = len(left) < len(self.grants)
        self.grants = left
        return taken

    def move(self, platform: str, chat: str, to: str) -> None:
        """Give what is granted to a chat to what it has become."""
        self.grants = [
            grant.model_copy(update={"id": to})
            if (grant.platform, grant.id) == (platform, chat) and grant.kind in (GrantKind.chat, GrantKind.server)
            else grant
            for grant in self.grants
        ]

    @property
    def everybody(self) -> People:
        return People(grants=tuple(self.grants))

    def guarded(self, rule: Rule) -> Handler:
        """Return a route's handler behind the question whether the person may."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if rule.action is not None:
                self.check(asker(request), rule.action, rule.thing, request.match_info.get("id", ""))
            return await rule.handler(request)

        return handle

    def check(self, who: RequestedBy | None, action: Action, thing: str = "", key: str = "") -> None:
        if not self.asks:
            return
        with speaking(who.language if who is not None else None):
            authorize(who, action, people=self.everybody)
            if thing:
                authorize(who, action, people=self.everybody, thing=self._thing(thing, key))

    def check_model(self, request: web.Request, model: str) -> None:
        who = asker(request)
        known = model not in self.new_models or model in self.approved
        if known or role_of(who, self.everybody) in (Role.owner, Role.admin):
            return
        message = f"“{model}” comes from Hugging Face and is new here."
        raise AgentError(message, code=ErrorCode.model_needs_approval, param="model")

    def reaches(self, who: RequestedBy | None, maker: RequestedBy | None) -> bool:
        """Say whether somebody sees the whole of what somebody made."""
        sees_all = not self.asks or holds_key(who) or role_of(who, self.everybody) in (Role.owner, Role.admin)
        return sees_all or needed(who, Thing(name="", made_by=maker)) <= Reach.here

    def owns(self, who: RequestedBy | None, maker: RequestedBy | None) -> bool:
        """Say whether something is somebody's own, as everything is the owner's."""
        if not self.asks or role_of(who, self.everybody) is Role.owner:
            return True
        return needed(who, Thing(name="", made_by=maker)) <= Reach.own

    def as_seen(self, who: RequestedBy | None, job: Job) -> Job:
        hidden: dict[str, object] = {"result": None, "result_files": [], "metadata": None}
        return job if self.reaches(who, job.requested_by) else job.model_copy(update=hidden)

    def _thing(self, kind: str, key: str) -> Thing:
        if kind == "job":
            job = self._agent.job_named(key)
            return Thing(name=f"Job #{job.number}", made_by=job.requested_by)
        if kind == "plan":
            return Thing(name=f"The plan for {self._agent.plans[key].suffix}", made_by=self._agent.made_by[key])
        file, _ = self._agent.files[key]
        job_id = file.job_id
        maker = self._agent.jobs[job_id].requested_by if job_id is not None else self._agent.made_by.get(key)
        return Thing(name=file.filename, made_by=maker, how="was sent")


def asker(request: web.Request) -> RequestedBy | None:
    """Return on whose behalf a request is, as it came in."""
    who = request[WHO]
    assert who is None or isinstance(who, RequestedBy)
    return who


def who_of(request: web.Request, body: bytes) -> RequestedBy | None:
    """Read on whose behalf a request is; header and body must not differ."""
    header = request.headers.get(HEADER)
    named = RequestedBy.model_validate_json(header) if header is not None else None
    if request.content_type == "application/json" and body:
        try:
            told = _Body.model_validate_json(body).requested_by
        except ValidationError:
            told = None
        assert told == named, (told, named)
    request[WHO] = named
    return named
