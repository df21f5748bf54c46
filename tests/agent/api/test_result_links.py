"""Results by a link that needs no key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from agent.auth.signed_links import LIFE_S, sign
from agent.settings import AgentSettings
from shared.files import FileLink
from tests.agent.api.asking import EVE, MIA, TOM, TOM_ELSEWHERE, allow, ask, pair, refused, start
from tests.agent.running_agent import KEY, Agent, run_agent
from tests.fakes.trainer import GGUF

pytestmark = pytest.mark.process

NOW = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def agent_with_a_result(
    settings: AgentSettings, public_url: str | None = "https://hearth.example.org/at-home", **more: Any
) -> AsyncIterator[tuple[Agent, str]]:
    async with run_agent(settings.model_copy(update={"hearth_public_url": public_url}), **more) as agent:
        job = await agent.create()
        await agent.until_status(job, "succeeded")
        yield agent, (await agent.openai.fine_tuning.jobs.retrieve(job)).result_files[0]


async def made(agent: Agent, file_id: str) -> FileLink:
    async with agent.http.post(f"/v1/files/{file_id}/links") as response:
        assert response.status == 200, await response.text()
        return FileLink.model_validate_json(await response.read())


async def test_a_link_brings_the_file_or_a_range_of_it_without_a_key(settings: AgentSettings) -> None:
    async with agent_with_a_result(settings) as (agent, file_id), ClientSession() as anybody:
        link = await made(agent, file_id)
        assert link.url.startswith(f"https://hearth.example.org/at-home/v1/files/{file_id}/download?expires=")
        url = link.url.replace("https://hearth.example.org/at-home", agent.url.rstrip("/"))
        async with anybody.get(url) as response:
            assert (response.status, await response.read()) == (200, GGUF)
            assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''toast.gguf")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "no-store" in response.headers["Cache-Control"]
        async with anybody.get(url, headers={"Range": "bytes=4-7"}) as response:
            assert (response.status, await response.read()) == (206, GGUF[4:8])
        async with anybody.post(url) as response:
            assert response.status == 401


async def test_a_link_holds_for_a_day_and_then_says_so(settings: AgentSettings) -> None:
    clock = Clock()
    async with agent_with_a_result(settings, clock=clock) as (agent, file_id), ClientSession(agent.url) as anybody:
        link = await made(agent, file_id)
        assert link.expires_at == NOW + 24 * 3600
        path = link.url.removeprefix("https://hearth.example.org/at-home")
        clock.now = link.expires_at - 1
        async with anybody.get(path) as response:
            assert response.status == 200
        clock.now += 1
        async with anybody.get(path) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"]) == (403, "link_invalid")
            assert "This link has expired" in error["message"]


async def test_whatever_is_wrong_with_a_link_is_refused_alike(settings: AgentSettings) -> None:
    async with agent_with_a_result(settings) as (agent, file_id), ClientSession(agent.url) as anybody:
        good = (await made(agent, file_id)).url.partition("?")[2]
        for path, query in [
            (file_id, ""), (file_id, "expires=1"), (file_id, good[:-1]), (file_id, good + "0"),
            (file_id, good + "&x=1"), (file_id, good.replace("expires=1", "expires=2")),
            (file_id, "expires=x&signature=y"),
            (file_id, good + "&" + good), ("file-1", good), (file_id.upper(), good),
        ]:  # fmt: skip
            async with anybody.get(f"/v1/files/{path}/download?{query}") as response:
                error = (await response.json())["error"]
                assert (response.status, error["code"]) == (403, "link_invalid"), query
                assert "This link is not valid" in error["message"]


async def test_a_dataset_is_never_linked(settings: AgentSettings) -> None:
    async with agent_with_a_result(settings) as (agent, _), ClientSession(agent.url) as anybody:
        dataset = await agent.upload()
        async with agent.http.post(f"/v1/files/{dataset}/links") as response:
            assert response.status == 400
            assert "only results" in (await response.json())["error"]["message"]
        expires = NOW + 10**6 + LIFE_S
        query = f"expires={expires}&signature={sign(KEY, dataset, expires)}"
        async with anybody.get(f"/v1/files/{dataset}/download?{query}") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid_request")


async def test_a_linked_file_that_was_deleted_is_said_to_be_gone(settings: AgentSettings) -> None:
    async with agent_with_a_result(settings) as (agent, file_id), ClientSession(agent.url) as anybody:
        path = (await made(agent, file_id)).url.removeprefix("https://hearth.example.org/at-home")
        await agent.openai.files.delete(file_id)
        async with anybody.get(path) as response:
            assert response.status == 404
            assert "deleted" in (await response.json())["error"]["message"]


async def test_without_a_public_url_the_command_is_named_instead(settings: AgentSettings) -> None:
    async with agent_with_a_result(settings, None) as (agent, file_id):
        async with agent.http.post(f"/v1/files/{file_id}/links") as response:
            error = (await response.json())["error"]
        assert error["code"] == "links_off"
        assert "hearth-agent results" in error["message"]


async def test_who_may_make_links_and_try_models(settings: AgentSettings) -> None:
    public = settings.model_copy(update={"hearth_public_url": "https://hearth.example.org"})
    async with run_agent(public) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        job = await start(agent, MIA)
        await agent.until_status(job["id"], "succeeded")
        [file] = (await agent.openai.fine_tuning.jobs.retrieve(job["id"])).result_files
        question = {"model": "toast", "messages": [{"role": "user", "content": "mail mia@example.org"}]}
        for path, body in ((f"/v1/files/{file}/links", {}), ("/v1/chat/completions", question)):
            for who in (MIA, TOM, None):
                await ask(agent, "POST", path, who, body)
            assert "in another chat, by Mia" in await refused(agent, "POST", path, TOM_ELSEWHERE, body)
            assert "Ask the owner" in await refused(agent, "POST", path, EVE, body)
        shown = await ask(agent, "POST", "/v1/chat/completions", TOM, question)
        assert shown["choices"][0]["message"]["content"].startswith("mail [e-mail], answers")
        raw = await ask(agent, "POST", "/v1/chat/completions", None, question)
        assert raw["choices"][0]["message"]["content"].startswith("mail mia@example.org, answers")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hearth.example.org", "https://hearth.example.org"),
        ("http://100.64.0.7:8420/", "http://100.64.0.7:8420"),
        ("https://[fd00::1]:8443/at-home/", "https://[fd00::1]:8443/at-home"),
    ],
)
def test_a_public_url_is_kept_without_the_slash_at_its_end(url: str, kept: str) -> None:
    assert AgentSettings.model_validate({"hearth_public_url": url}).hearth_public_url == kept


@pytest.mark.parametrize(
    "url",
    ["hearth.example.org", "ftp://x", "https://", "https://me:pw@x", "https://x?y=1", "https://x#y", "https://x:0",
     "https://x:65536", "https://[::", "https://[x]", "https://x y", "javascript:x"],
)  # fmt: skip
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://hearth\.example\.org"):
        AgentSettings.model_validate({"hearth_public_url": url})
