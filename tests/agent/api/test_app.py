"""The door: keys, routes, the machine, the document."""

import dataclasses
import io
import itertools
import re
from typing import Any

import pytest
from aiohttp import web

from agent.api import build_app
from agent.api.app import ROUTES
from agent.api.authorization import guarded
from agent.settings import AgentSettings
from shared.errors import ErrorCode
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import KEY, run_agent


async def test_every_route_but_health_needs_the_key(settings: AgentSettings) -> None:
    wrong = ["", "Bearer", "Bearer ", f"Basic {KEY}", "Bearer wrong", f"Bearer {KEY}x", "Bearer ü"]
    async with run_agent(settings, works=False) as agent:
        for header, route in itertools.product(wrong, ROUTES):
            path = agent.url.rstrip("/") + re.sub(r"{\w+}", "1", route.path)
            async with agent.http.request(route.method, path, headers={"Authorization": header}) as response:
                if route.open:
                    assert response.status == (403 if route.path.endswith("/download") else 200)
                    continue
                assert response.status == 401, route.path
                error = (await response.json())["error"]
                assert (error["code"], error["type"]) == ("invalid_key", "authentication_error")


async def test_every_registered_route_names_an_action_or_is_open_on_purpose(settings: AgentSettings) -> None:
    without_question = {"/healthz", "/openapi.json", "/v1/files/{file_id}/download"}
    asked = {(route.method, route.path) for route in ROUTES if route.action is not None}
    async with run_agent(settings, works=False) as agent:
        registered = {
            (route.method, route.resource.canonical)
            for route in build_app(agent.services).router.routes()
            if route.resource is not None
        }
    assert {path for method, path in registered - asked} == without_question
    assert {path for _, path in asked} & without_question == set()


def test_route_that_names_no_action_is_not_registered() -> None:
    route = ROUTES[0]
    with pytest.raises(ValueError, match="names no action"):
        guarded(dataclasses.replace(route, action=None))


async def test_unknown_method_and_query_are_refused_as_json(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        async with agent.http.put("/v1/files") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (405, "method_not_allowed")
            assert "GET" in response.headers["Allow"]
        for query, words in [
            ("limt=1", "Did you mean limit?"),
            ("limit=0", "at least 1"),
            ("limit=1&limit=2", "twice"),
        ]:
            async with agent.http.get(f"/v1/fine_tuning/jobs?{query}") as response:
                assert response.status == 400
                assert words in (await response.json())["error"]["message"]
        async with agent.http.post("/v1/fine_tuning/jobs", data=io.BytesIO(b"x" * 2 * 1024 * 1024)) as response:
            assert response.status == 413
            assert "error" in await response.json()


@pytest.mark.process
async def test_agent_describes_itself(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id, waiting = await agent.create(), await agent.create()
        await agent.until_step(job_id)
        await agent.until_status(waiting, "queued")
        async with agent.http.get("/v1/agent") as response:
            info: dict[str, Any] = await response.json()
        assert (info["device"], info["running_job"], info["queued_jobs"]) == ("CPU (2 cores)", job_id, 1)
        worker = {"name": "local", "device": "CPU (2 cores)", "memory_total_mib": 32000, "task": None}
        assert info["workers"] == [worker | {"running_job": job_id}]
        assert (await agent.job(job_id))["worker"] == "local"
        assert (await agent.job(waiting))["worker"] is None
        assert info["file_size_limit"] == 1024 * 1024
        async with agent.http.get("/healthz") as response:
            assert (await response.json())["status"] == "ok"


@pytest.mark.process
async def test_plot_and_log_of_a_running_job(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job_id}/plot.png") as response:
            assert response.status == 200
            assert (await response.read()).startswith(b"\x89PNG")
            assert "loss" in response.headers["X-Alt-Text"].lower()
        agent.folder(job_id).log.write_text("".join(f"line {number}\n" for number in range(500)))
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job_id}/log") as response:
            assert (await response.text()).splitlines() == [f"line {number}" for number in range(300, 500)]
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job_id}/log?tail=1") as response:
            assert await response.text() == "line 499\n"


@pytest.mark.process
async def test_a_picture_to_post_is_of_an_answer_that_is_there(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        job = await agent.create()
        await agent.until_status(job, "succeeded")
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job}/share.png") as response:
            assert (await response.read()).startswith(b"\x89PNG")
            assert "Before: “" in response.headers["X-Alt-Text"]
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job}/share.png", params={"answer": 99}) as response:
            assert response.status == 404
            assert "has no answer 100 to show" in (await response.json())["error"]["message"]


@pytest.mark.process
async def test_who_asks_for_nobody_is_answered_in_the_language_of_the_request(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job = await agent.create()
        await agent.until_step(job)
        agent.http.headers["Accept-Language"] = "de-AT,de;q=0.9,en;q=0.5"
        async with agent.http.get(f"/v1/fine_tuning/jobs/{job}/plot.png") as response:
            assert response.headers["X-Alt-Text"].startswith("Loss-Kurve.")
        async with agent.http.get("/v1/nothing") as response:
            assert (await response.json())["error"]["message"].startswith("Es gibt keine Route")


@pytest.mark.process
async def test_openapi_document_names_every_route_and_resolves(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, agent.http.get("/openapi.json") as response:
        document: dict[str, Any] = await response.json()
    assert {(route.path, route.method.lower()) for route in ROUTES} == {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    schemas = document["components"]["schemas"]
    references: list[str] = []
    collect(document, references)
    assert references
    assert all(reference.removeprefix("#/components/schemas/") in schemas for reference in references)


def collect(value: object, references: list[str]) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            references.append(value["$ref"])
        for below in value.values():
            collect(below, references)
    elif isinstance(value, list):
        for below in value:
            collect(below, references)


async def test_unexpected_error_shows_a_reference_and_no_traceback(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: web.Request) -> web.Response:
        raise KeyError("secret detail")

    async with run_agent(settings, works=False) as agent:
        app = build_app(agent.services)
        app.router.add_get("/broken", broken)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with agent.http.get(f"http://{host}:{port}/broken") as response:
            error = (await response.json())["error"]
        await runner.cleanup()
    assert (response.status, error["code"]) == (500, ErrorCode.internal)
    assert "secret" not in error["message"]
    reference = error["message"].rstrip(".").rpartition(" ")[2]
    assert reference in caplog.text
    assert "secret detail" in caplog.text


async def test_base_models_are_listed(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent, agent.http.get("/v1/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == [MODEL]
