"""A stolen bot does not own the GPU machine: what each kind of key reaches over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from agent.auth.keys import BOT, Key, KeyKind, new_secret
from agent.settings import AgentSettings
from agent.store import keys
from shared.people import HEADER, RequestedBy, header_of
from tests.agent.api.asking import MIA, OLGA, TOM, allow, ask, pair, refused, start
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import Agent, run_agent

pytestmark = pytest.mark.process

AT_HOME = RequestedBy(platform="terminal", person="me", chat="home")
DISCORD = Key(name="d", kind=KeyKind.bot, platforms=("discord",))


@asynccontextmanager
async def with_key(agent: Agent, key: Key) -> AsyncIterator[Agent]:
    """The same agent, spoken to with another key."""
    secret = new_secret()
    await agent.store.run(keys.add, key, secret, now=1)
    async with ClientSession(agent.url, headers={"Authorization": f"Bearer {secret}"}) as http:
        yield replace(agent, http=http)


async def test_a_bots_key_is_never_the_machine_or_its_terminal(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        await ask(agent, "POST", "/v1/people/pairing")
        for who in (AT_HOME, None):
            for method, path, body in (
                ("POST", "/v1/agent/pause", {}),
                ("GET", "/v1/files", None),
                ("GET", "/v1/people/pairing", None),
                ("POST", "/v1/people/pairing", {}),
                ("POST", "/v1/people/grants", {"platform": "discord", "kind": "person", "id": "66"}),
            ):
                error = (await ask(bot, method, path, who, body, status=403))["error"]
                assert error["code"] == "not_allowed", path
        assert (await ask(bot, "GET", "/v1/people/me"))["owned"] is False


async def test_the_owner_keeps_their_powers_through_the_bot_but_for_pairing_codes(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        code = (await ask(agent, "POST", "/v1/people/pairing"))["code"]
        await ask(bot, "POST", "/v1/people/pair", OLGA, {"code": code})
        await allow(bot, "person", TOM.person)
        await ask(bot, "POST", "/v1/models/approvals", OLGA, {"model": MODEL})
        assert (await ask(bot, "POST", "/v1/agent/pause", OLGA, {}))["paused"] is True
        assert "hearth-agent pairing-code" in await refused(bot, "POST", "/v1/people/pairing", OLGA, {})
        may = (await ask(bot, "GET", "/v1/people/me", OLGA))["may"]
        assert "change_people" in may
        assert not {"make_code", "read_code"} & set(may)


async def test_a_bot_sees_what_its_people_made_and_of_others_the_queue_alone(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        await pair(agent)
        await allow(agent, "chat", "kitchen")
        theirs = (await start(agent, TOM))["id"]
        own = await agent.create()
        await agent.until_status(own, "queued")
        assert {job["id"] for job in (await ask(bot, "GET", "/v1/fine_tuning/jobs"))["data"]} == {theirs, own}
        assert (await ask(bot, "GET", f"/v1/fine_tuning/jobs/{theirs}/events"))["data"]
        error = (await ask(bot, "GET", f"/v1/fine_tuning/jobs/{own}/log", status=403))["error"]
        assert "is not of discord" in error["message"]
        file = (await agent.job(own))["training_file"]
        await ask(bot, "GET", f"/v1/files/{file}/content", status=403)


async def test_a_bots_feed_tells_of_its_people_alone(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, DISCORD) as bot:
        await pair(agent)
        await allow(agent, "chat", "kitchen")
        own = await agent.create()
        await agent.until_status(own, "queued")
        theirs = (await start(agent, TOM))["id"]
        async with bot.http.get("/v1/agent/events", params={"after": 0}) as stream:
            async for line in stream.content:
                assert own.encode() not in line
                if theirs.encode() in line:
                    break


async def test_a_feed_ends_once_its_key_is_revoked(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, DISCORD) as bot:
        async with bot.http.get("/v1/agent/events") as stream, asyncio.timeout(10):
            await agent.store.run(keys.revoke, DISCORD.name, now=2)
            async for _line in stream.content:
                pass
        error = (await ask(bot, "GET", "/v1/people/me", status=401))["error"]
        assert "revoked" in error["message"]


async def test_a_stream_of_a_job_ends_for_who_was_denied_meanwhile(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await allow(agent, "person", TOM.person)
        job = (await start(agent, TOM))["id"]
        headers = {HEADER: header_of(TOM)}
        url = f"/v1/fine_tuning/jobs/{job}/events"
        async with agent.http.get(url, params={"stream": "true"}, headers=headers) as stream, asyncio.timeout(10):
            await ask(agent, "POST", "/v1/people/deny", OLGA, {"platform": TOM.platform, "id": TOM.person})
            async for _line in stream.content:
                pass


async def test_a_bot_of_one_platform_changes_nobody_on_another(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, DISCORD) as bot:
        await pair(agent, MIA)
        someone = {"platform": "telegram", "id": "5"}
        for method, path, body in (
            ("POST", "/v1/people/grants", someone | {"kind": "person"}),
            ("POST", "/v1/people/deny", someone),
            ("DELETE", "/v1/people/grants/telegram/person/1", None),
        ):
            assert "on telegram" in await refused(bot, method, path, MIA, body)


async def test_a_programs_key_is_its_person(settings: AgentSettings) -> None:
    laptop = Key(name="laptop", kind=KeyKind.program, platforms=(TOM.platform,), person=TOM.person)
    async with run_agent(settings, works=False) as agent, with_key(agent, laptop) as program:
        await pair(agent)
        assert "may not" in (await ask(program, "GET", "/v1/agent", status=403))["error"]["message"]
        await allow(agent, "person", TOM.person)
        job = await agent.job(await program.create())
        assert (job["requested_by"]["platform"], job["requested_by"]["person"]) == (TOM.platform, TOM.person)
        assert [file["id"] for file in (await ask(program, "GET", "/v1/files"))["data"]] == [job["training_file"]]
        for_another = (await ask(program, "GET", "/v1/agent", MIA, status=403))["error"]["message"]
        assert "alone, not for" in for_another


async def test_a_keys_use_is_noted(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, with_key(agent, BOT) as bot:
        assert [stored.used_at for stored in await agent.store.run(keys.listing)] == [None]
        await ask(bot, "GET", "/v1/people/me")
        [stored] = await agent.store.run(keys.listing)
        assert stored.used_at is not None
