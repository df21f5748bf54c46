"""Pairing, grants, and yeses to models."""

from typing import TYPE_CHECKING

from aiohttp import web

from agent.auth.permissions import abilities, role_of
from shared.errors import ErrorCode
from shared.models import Approval, ApprovalRequest
from shared.people import (
    Action,
    ChatMove,
    ChatMoved,
    DenyRequest,
    GrantDeleted,
    GrantKind,
    GrantRequest,
    Me,
    PairingCode,
    PairRequest,
    PeopleList,
    Role,
)
from tests.fakes.agent_server.answers import answer, refuse
from tests.fakes.agent_server.rights import Rule, asker

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent


class PeopleRoutes:
    """/v1/people, /v1/models/approvals."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._rights = agent.people
        self._agent = agent

    def rules(self) -> list[Rule]:
        one = "/v1/people/grants/{platform}/{kind}/{subject}"
        return [
            Rule("GET", "/v1/people", self._list, Action.see_people),
            Rule("GET", "/v1/people/me", self._me, Action.see_self),
            Rule("GET", "/v1/people/pairing", self._code, Action.read_code),
            Rule("POST", "/v1/people/pairing", self._new_code, Action.make_code),
            Rule("POST", "/v1/people/pair", self._pair, Action.pair),
            Rule("POST", "/v1/people/grants", self._grant, Action.change_people),
            Rule("POST", "/v1/people/deny", self._deny, Action.change_people),
            Rule("DELETE", one, self._take_away, Action.change_people),
            Rule("POST", "/v1/models/approvals", self._approve, Action.approve_model),
            Rule("POST", "/v1/chats/moves", self._move, None),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        return answer(PeopleList(data=self._rights.grants, approved_models=self._rights.approved))

    async def _me(self, request: web.Request) -> web.Response:
        if not self._rights.asks:
            return answer(Me(role=Role.owner, may=list(Action), owned=True, owner_names=["Mia"]))
        who, everybody = asker(request), self._rights.everybody
        owners = [owner.name for owner in everybody.owners]
        role = role_of(who, everybody)
        return answer(Me(role=role, may=abilities(who, everybody), owned=bool(owners), owner_names=owners))

    async def _code(self, _request: web.Request) -> web.Response:
        return answer(PairingCode(code=self._rights.code))

    async def _new_code(self, _request: web.Request) -> web.Response:
        self._rights.code = "WXYZ-6789"
        return answer(PairingCode(code=self._rights.code, expires_in_s=900))

    async def _pair(self, request: web.Request) -> web.Response:
        code, who = PairRequest.model_validate_json(await request.read()).code, asker(request)
        if who is None or self._rights.code is None or code != self._rights.code:
            return refuse(ErrorCode.pairing_code_wrong, "That is not the code.", status=403)
        self._rights.code = None
        self._rights.grant(who.platform, GrantKind.person, who.person, who.name or "", Role.owner)
        return await self._me(request)

    async def _grant(self, request: web.Request) -> web.Response:
        body = GrantRequest.model_validate_json(await request.read())
        return answer(self._rights.grant(body.platform, body.kind, body.id, body.name, Role(body.role)))

    async def _deny(self, request: web.Request) -> web.Response:
        body = DenyRequest.model_validate_json(await request.read())
        return answer(self._rights.grant(body.platform, GrantKind.person, body.id, body.name, Role.denied))

    async def _take_away(self, request: web.Request) -> web.Response:
        platform, kind, subject = (request.match_info[name] for name in ("platform", "kind", "subject"))
        if not self._rights.take_away(platform, GrantKind(kind), subject):
            raise KeyError(f"grant to the {kind} {subject}")
        return answer(GrantDeleted(platform=platform, kind=GrantKind(kind), id=subject))

    async def _move(self, request: web.Request) -> web.Response:
        body = ChatMove.model_validate_json(await request.read())
        assert body.requested_by is None, "no person may say that"
        self._rights.move(body.platform, body.chat, body.to)
        self._agent.move(body.platform, body.chat, body.to)
        return answer(ChatMoved(platform=body.platform, chat=body.chat, to=body.to))

    async def _approve(self, request: web.Request) -> web.Response:
        model = ApprovalRequest.model_validate_json(await request.read()).model
        self._rights.approved.append(model)
        return answer(Approval(model=model, approved_at=self._agent.now))
