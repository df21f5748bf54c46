"""Pairing over HTTP: the code that makes an owner, and who may guess at it."""

import pytest

from agent.settings import AgentSettings
from shared.people import RequestedBy
from tests.agent.api.asking import EVE, MIA, OLGA, ask, pair, refused
from tests.agent.running_agent import run_agent


async def test_pairing_code_makes_its_first_speaker_the_owner(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with run_agent(settings, works=False) as agent:
        assert (await ask(agent, "GET", "/v1/people/pairing"))["code"] is None
        assert "no owner" in await refused(agent, "GET", "/v1/agent", OLGA)
        made = await ask(agent, "POST", "/v1/people/pairing")
        assert (await ask(agent, "GET", "/v1/people/pairing")) == made
        assert made["expires_in_s"] is None
        await refused(agent, "POST", "/v1/people/pair", EVE, {"code": "ABCD-2345"}, code="pairing_code_wrong")
        me = await ask(agent, "POST", "/v1/people/pair", OLGA, {"code": made["code"]})
        assert (me["role"], me["owned"], me["owner_names"]) == ("owner", True, ["Ölga 🦉"])
        await refused(agent, "POST", "/v1/people/pair", EVE, {"code": made["code"]}, code="pairing_code_wrong")
        assert (await ask(agent, "GET", "/v1/agent", OLGA))["object"] == "agent"
        assert "where the agent runs" in await refused(agent, "GET", "/v1/people/pairing", OLGA)
    assert made["code"] not in caplog.text


async def test_owner_pairs_on_the_other_platform_with_a_second_code(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        in_a_group = OLGA.model_copy(update={"private": False})
        assert "private chat" in await refused(agent, "POST", "/v1/people/pairing", in_a_group, {})
        second = await ask(agent, "POST", "/v1/people/pairing", OLGA, {})
        assert second["expires_in_s"] == 900
        await ask(agent, "POST", "/v1/people/pair", MIA, {"code": second["code"]})
        assert [row["role"] for row in (await ask(agent, "GET", "/v1/people", MIA))["data"]] == ["owner", "owner"]


async def test_guessing_the_code_ends_with_a_time_to_wait(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await ask(agent, "POST", "/v1/people/pairing")
        for _ in range(5):
            await refused(agent, "POST", "/v1/people/pair", EVE, {"code": "guess"}, code="pairing_code_wrong")
        error = (await ask(agent, "POST", "/v1/people/pair", EVE, {"code": "guess"}, status=429))["error"]
        assert (error["code"], "Try again in 10 min" in error["message"]) == ("too_many_tries", True)


async def test_pairing_needs_a_person(settings: AgentSettings) -> None:
    at_home = RequestedBy(platform="terminal", person="x", chat="home")
    async with run_agent(settings, works=False) as agent:
        assert (await ask(agent, "GET", "/v1/people/pairing", at_home))["code"] is None
        for who in (None, at_home):
            error = (await ask(agent, "POST", "/v1/people/pair", who, {"code": "x"}, status=400))["error"]
            assert "Discord and Telegram" in error["message"]
