"""Who may say that a chat goes on under another id, and what its people have then."""

import pytest

from agent.auth.keys import BOT, Key, KeyKind
from agent.settings import AgentSettings
from tests.agent.api.asking import MIA, OLGA, TOM, Json, allow, ask, pair, refused, start
from tests.agent.api.test_keys import DISCORD, with_key
from tests.agent.running_agent import run_agent

pytestmark = pytest.mark.process

PATH = "/v1/chats/moves"
GROUP, SUPERGROUP = "-4012", "-1004012345678"
MOVE: Json = {"platform": "telegram", "chat": GROUP, "to": SUPERGROUP}
IN_GROUP = OLGA.model_copy(update={"person": "7", "chat": GROUP, "private": False, "name": "Tom"})
IN_SUPERGROUP = IN_GROUP.model_copy(update={"person": "8", "chat": SUPERGROUP, "name": "Mia"})


async def test_a_bots_word_takes_grants_jobs_and_files_of_a_chat_along(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        await pair(agent)
        grant = {"platform": "telegram", "kind": "chat", "id": GROUP, "name": "Team", "role": "member"}
        await ask(agent, "POST", "/v1/people/grants", OLGA, grant)
        job = await start(bot, IN_GROUP)
        there = IN_SUPERGROUP
        assert "may not" in await refused(bot, "GET", "/v1/agent", there)
        moved = await ask(bot, "POST", PATH, None, MOVE)
        assert [moved[name] for name in ("grants", "files", "plans", "jobs")] == [1, 1, 1, 1]
        assert (await ask(bot, "GET", "/v1/people/me", there))["role"] == "member"
        assert [file["id"] for file in (await ask(bot, "GET", "/v1/files", there))["data"]] == [job["training_file"]]
        await ask(bot, "GET", f"/v1/fine_tuning/jobs/{job['id']}/events", there)
        await refused(bot, "GET", "/v1/agent", IN_GROUP.model_copy(update={"person": "9"}))
        assert (await ask(bot, "POST", PATH, None, MOVE))["jobs"] == 0


async def test_no_person_moves_a_chat_not_even_the_owner(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        await pair(agent)
        await allow(agent, "person", TOM.person)
        await allow(agent, "person", MIA.person, "admin")
        for who in (OLGA, MIA, TOM):
            assert "by no person" in await refused(bot, "POST", PATH, who, MOVE)


async def test_a_bot_moves_chats_of_its_own_platform_alone(settings: AgentSettings) -> None:
    laptop = Key(name="laptop", kind=KeyKind.program, platforms=(TOM.platform,), person=TOM.person)
    async with (
        run_agent(settings, works=False) as agent,
        with_key(agent, DISCORD) as bot,
        with_key(agent, laptop) as program,
    ):
        error = (await ask(bot, "POST", PATH, None, MOVE, status=403))["error"]
        assert "telegram" in error["message"]
        await ask(program, "POST", PATH, None, MOVE, status=403)
        await ask(agent, "POST", PATH, None, MOVE)


async def test_a_move_is_a_closed_schema_and_goes_somewhere(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        person, channel = {"to": "17"}, {"chat": "kitchen"}
        for beside in ({"server": "x"}, {"platform": "discord"}, person, channel, {"to": GROUP}, {"chat": None}):
            await ask(agent, "POST", PATH, None, MOVE | beside, status=400)
        error = (await ask(agent, "POST", PATH, None, MOVE | {"chat": "-100777", "to": "-100777"}, status=400))["error"]
        assert (error["param"], "both -100777" in error["message"]) == ("to", True)
        assert PATH in (await ask(agent, "GET", "/openapi.json"))["paths"]
