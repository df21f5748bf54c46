"""Who is told of which unused datasets over HTTP."""

import time

import pytest

from agent.settings import AgentSettings
from tests.agent.api.asking import EVE, MIA, OLGA, TOM, allow, ask, pair, refused, start, upload
from tests.agent.running_agent import ROWS, run_agent

pytestmark = pytest.mark.process

PATH = "/v1/datasets/unused"
DAY_S = 86_400
MIA_ALONE = MIA.model_copy(update={"chat": "17", "server": None, "private": True})


async def test_a_person_is_told_of_their_own_the_owner_of_all_and_a_group_of_what_was_sent_there(
    settings: AgentSettings,
) -> None:
    days = 0
    async with run_agent(settings, works=False, clock=lambda: time.time() + days * DAY_S) as agent:
        await pair(agent)
        for who in (MIA, TOM):
            await allow(agent, "person", who.person)
        alone, in_group, toms = [await upload(agent, who) for who in (MIA_ALONE, MIA, TOM)]
        assert (await ask(agent, "GET", PATH, OLGA))["data"] == []
        days = 31
        for who, theirs in ((MIA_ALONE, {alone, in_group}), (MIA, {in_group}), (OLGA, {alone, in_group, toms})):
            found = await ask(agent, "GET", PATH, who)
            assert {file["id"] for file in found["data"]} == theirs
            assert (found["bytes"], found["days"]) == (len(theirs) * len(ROWS), 30)
        assert len((await ask(agent, "GET", PATH))["data"]) == 3
        await refused(agent, "GET", PATH, EVE)
        for file in (alone, in_group):
            await ask(agent, "DELETE", f"/v1/files/{file}", MIA_ALONE)
        assert (await ask(agent, "GET", PATH, MIA_ALONE))["data"] == []


async def test_a_dataset_that_a_waiting_job_will_learn_from_is_not_offered(settings: AgentSettings) -> None:
    days = 0
    async with run_agent(settings, works=False, clock=lambda: time.time() + days * DAY_S) as agent:
        await pair(agent)
        await allow(agent, "person", TOM.person)
        job = await start(agent, TOM)
        days = 100
        assert (await ask(agent, "GET", PATH, OLGA))["data"] == []
        await ask(agent, "POST", f"/v1/fine_tuning/jobs/{job['id']}/cancel", TOM, {})
        days = 200
        assert [file["id"] for file in (await ask(agent, "GET", PATH, OLGA))["data"]] == [job["training_file"]]
