"""Requests to an agent in the name of a person."""

from typing import Any

from aiohttp import FormData

from shared.people import HEADER, RequestedBy, header_of
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS, Agent

Json = dict[str, Any]

OLGA = RequestedBy(platform="telegram", person="1", chat="1", name="Ölga 🦉", private=True)
MIA = RequestedBy(platform="discord", person="17", chat="kitchen", server="home", roles=("r1",), name="Mia")
TOM = RequestedBy(platform="discord", person="18", chat="kitchen", server="home", name="Tom")
EVE = RequestedBy(platform="discord", person="66", chat="alley", name="Eve")
TOM_ELSEWHERE = TOM.model_copy(update={"chat": "attic"})


async def ask(
    agent: Agent, method: str, path: str, who: RequestedBy | None = None, body: Json | None = None, *, status: int = 200
) -> Json:
    """Ask as the bot does: who it is for stands in the body if there is one, else in the header."""
    headers = {HEADER: header_of(who)} if who and body is None else {}
    given = None if body is None else body | ({"requested_by": who.model_dump(mode="json")} if who else {})
    async with agent.http.request(method, path, json=given, headers=headers) as response:
        assert response.status == status, await response.text()
        return await response.json() if response.content_type == "application/json" else {}


async def refused(
    agent: Agent, method: str, path: str, who: RequestedBy, body: Json | None = None, *, code: str = "not_allowed"
) -> str:
    error = (await ask(agent, method, path, who, body, status=403))["error"]
    assert error["code"] == code, error
    return str(error["message"])


async def pair(agent: Agent, who: RequestedBy = OLGA) -> Json:
    code = (await ask(agent, "POST", "/v1/people/pairing"))["code"]
    return await ask(agent, "POST", "/v1/people/pair", who, {"code": code})


async def allow(agent: Agent, kind: str, subject: str, role: str = "member") -> Json:
    body = {"platform": "discord", "kind": kind, "id": subject, "name": subject, "role": role}
    return await ask(agent, "POST", "/v1/people/grants", OLGA, body)


async def upload(agent: Agent, who: RequestedBy, *, status: int = 200) -> str:
    form = FormData({"purpose": "fine-tune"})
    form.add_field("file", ROWS, filename="toast.jsonl")
    headers = {HEADER: header_of(who)}
    async with agent.http.post("/v1/files", data=form, headers=headers) as response:
        assert response.status == status, await response.text()
        return str((await response.json()).get("id"))


async def start(agent: Agent, who: RequestedBy) -> Json:
    wanted = {"model": MODEL, "training_file": await upload(agent, who), "suffix": "toast"}
    plan = await ask(agent, "POST", "/v1/fine_tuning/plans", who, wanted)
    return await ask(agent, "POST", "/v1/fine_tuning/jobs", who, {"plan": plan["id"]})
