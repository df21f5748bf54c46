"""Who may use the machine, and what they say yes to: the part of the agent's API that is about people."""

from bot.agent_api.requester import AgentRequester
from bot.agent_api.wire import path, read
from shared.models import Approval, ApprovalRequest
from shared.people import (
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


class PeopleRoutes(AgentRequester):
    """Every method raises AgentUnreachableError or AgentRefusedError."""

    async def me(self) -> Me:
        """Return what the person is and may do."""
        return await self._get("/v1/people/me", Me)

    async def people(self) -> PeopleList:
        """Return who is allowed or denied."""
        return await self._get("/v1/people", PeopleList)

    async def owner_on(self, platform: str) -> str | None:
        """Return the platform's id of the owner, to call them with, and for nothing else: anybody's call asks it."""
        people = (await self._asking_for(None).people()).data
        return next((grant.id for grant in people if grant.role is Role.owner and grant.platform == platform), None)

    async def pairing_code(self) -> PairingCode:
        """Return the code that makes an owner, as it stands."""
        return await self._get("/v1/people/pairing", PairingCode)

    async def new_pairing_code(self) -> PairingCode:
        """Make another code."""
        return await self._post("/v1/people/pairing", PairingRequest(), PairingCode)

    async def pair(self, code: str) -> Me:
        """Make the person the owner."""
        return await self._post("/v1/people/pair", PairRequest(code=code), Me)

    async def allow(self, request: GrantRequest) -> Grant:
        """Allow somebody, or change what they are."""
        return await self._post("/v1/people/grants", request, Grant)

    async def deny(self, request: DenyRequest) -> Grant:
        """Deny a person."""
        return await self._post("/v1/people/deny", request, Grant)

    async def take_away(self, platform: str, kind: GrantKind, id: str) -> GrantDeleted:
        """Take away what was allowed or denied."""
        async with self._ask("DELETE", path("/v1/people/grants", platform, kind.value, id)) as response:
            return await read(response, GrantDeleted)

    async def approve(self, model: str) -> Approval:
        """Say yes to a model from Hugging Face."""
        return await self._post("/v1/models/approvals", ApprovalRequest(model=model), Approval)
