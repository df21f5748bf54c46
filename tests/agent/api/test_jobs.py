"""Jobs over HTTP: what is refused at once, what is promised, what comes twice."""

import asyncio
import time
from typing import Any

import pytest

from agent.settings import AgentSettings
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import Agent, run_agent

Json = dict[str, Any]


async def post(agent: Agent, path: str, body: Json, *, status: int, headers: dict[str, str] | None = None) -> Json:
    async with agent.http.post(path, json=body, headers=headers) as response:
        answer: Json = await response.json()
        assert response.status == status, answer
        return answer


async def get(agent: Agent, path: str, *, status: int = 200) -> Json:
    async with agent.http.get(path) as response:
        answer: Json = await response.json()
        assert response.status == status, answer
        return answer


async def make_plan(agent: Agent, **extra: object) -> Json:
    body = {"model": MODEL, "training_file": await agent.upload(), "suffix": "toast", **extra}
    return await post(agent, "/v1/fine_tuning/plans", body, status=200)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("seed", "seed is 10000000000; it must be at most 2147483647."),
        ("start_at", "start_at is 10000000000; it must be less than 4102444800."),
    ],
)
async def test_a_large_limit_is_said_with_all_its_digits(settings: AgentSettings, name: str, sentence: str) -> None:
    async with run_agent(settings, works=False) as agent:
        body = {"model": MODEL, "training_file": "file-1", name: 10_000_000_000}
        assert (await post(agent, "/v1/fine_tuning/jobs", body, status=400))["error"]["message"] == sentence


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("learning_rate", 5, 'learning_rate is 5; it must be at most 0.01, or "auto".'),
        ("learning_rate", "fast", 'learning_rate is “fast”; it must be a number, or "auto".'),
        ("r", 0, 'r is 0; it must be at least 1, or "auto".'),
        ("r", 1.5, 'r is 1.5; it must be a whole number, or "auto".'),
        ("load_in_4bit", "maybe", 'load_in_4bit is “maybe”; it must be true or false, or "auto".'),
        ("n_epochs", 0, 'n_epochs is 0; it must be more than 0, or "auto".'),
        ("epochs", 3, "“epochs” is not a known setting. Did you mean n_epochs?"),
    ],
)
async def test_setting_out_of_range_is_refused_with_its_limit(
    settings: AgentSettings, name: str, value: object, sentence: str
) -> None:
    async with run_agent(settings, works=False) as agent:
        method = {"type": "supervised", "supervised": {"hyperparameters": {name: value}}}
        body = {"model": MODEL, "training_file": await agent.upload(), "method": method}
        for path in ("/v1/fine_tuning/jobs", "/v1/fine_tuning/plans"):
            error = (await post(agent, path, body, status=400))["error"]
            assert error["message"] == sentence
            assert error["code"] == "setting_invalid"
            assert error["param"] == f"method.supervised.hyperparameters.{name}"
        assert (await get(agent, "/v1/fine_tuning/jobs"))["data"] == []


async def test_bad_requests_are_refused_in_a_sentence_and_start_nothing(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        file = await agent.upload()
        good: Json = {"model": MODEL, "training_file": file}
        cases: list[tuple[Json, int, str, str]] = [
            ({"training_file": file}, 400, "invalid_request", "model is missing"),
            ({"model": "gpt-5", "training_file": file}, 400, "model_unknown", "gpt-5"),
            ({"model": "../etc/passwd", "training_file": file}, 400, "model_is_path", "../etc/passwd"),
            ({"model": MODEL, "training_file": "file-no"}, 404, "not_found", "file-no"),
            (good | {"suffix": "../x"}, 400, "invalid_request", "lower-case letters"),
            (good | {"sufix": "x"}, 400, "invalid_request", "Did you mean suffix?"),
            (good | {"validation_file": file}, 400, "invalid_request", "validation_file"),
            (good | {"requested_by": {"platform": "x"}}, 400, "invalid_request", "person is missing"),
            ({"plan": "ftplan-no"}, 404, "not_found", "ftplan-no"),
            ({"plan": "ftplan-no", "seed": 1}, 400, "invalid_request", "seed is settled by the plan"),
        ]
        for body, status, code, words in cases:
            error = (await post(agent, "/v1/fine_tuning/jobs", body, status=status))["error"]
            assert (error["code"], words in error["message"]) == (code, True), error
        assert (await get(agent, "/v1/fine_tuning/jobs"))["data"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b'{"seed": NaN}', b"[" * 100_000])
async def test_body_that_is_no_object_is_refused(settings: AgentSettings, body: bytes) -> None:
    async with (
        run_agent(settings, works=False) as agent,
        agent.http.post("/v1/fine_tuning/jobs", data=body) as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "invalid_request"


async def test_two_creates_from_one_plan_start_one_job(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        plan = await make_plan(agent)
        body = {"plan": plan["id"]}
        first, second = await asyncio.gather(*(post(agent, "/v1/fine_tuning/jobs", body, status=200) for _ in range(2)))
        assert first["id"] == second["id"]
        assert (first["status"], first["queue_position"], first["number"]) == ("queued", 1, 1)
        assert first["settings"] == plan["settings"]
        assert len((await get(agent, "/v1/fine_tuning/jobs"))["data"]) == 1


async def test_same_idempotency_key_gives_the_same_job_and_refuses_another_body(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        body: Json = {"model": MODEL, "training_file": await agent.upload()}
        headers = {"Idempotency-Key": "tap-1"}
        first = await post(agent, "/v1/fine_tuning/jobs", body, status=200, headers=headers)
        again = await post(agent, "/v1/fine_tuning/jobs", body, status=200, headers=headers)
        assert again["id"] == first["id"]
        refused = await post(agent, "/v1/fine_tuning/jobs", body | {"seed": 1}, status=422, headers=headers)
        assert refused["error"]["code"] == "idempotency_conflict"


async def test_waiting_jobs_have_places_and_move_up(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        jobs = [
            await post(agent, "/v1/fine_tuning/jobs", {"plan": (await make_plan(agent))["id"]}, status=200)
            for _ in range(3)
        ]
        assert [job["queue_position"] for job in jobs] == [1, 2, 3]
        plan = await make_plan(agent)
        assert plan["queue_position"] == 4
        assert plan["queue_wait_minutes"] > 0
        await post(agent, f"/v1/fine_tuning/jobs/{jobs[0]['id']}/cancel", {}, status=200)
        assert (await get(agent, "/v1/fine_tuning/jobs/3"))["queue_position"] == 2
        moves = await get(agent, "/v1/fine_tuning/jobs/3/events")
        assert moves["data"][0]["data"] == {
            "kind": "queue",
            "position": 2,
            "wait_s": moves["data"][0]["data"]["wait_s"],
        }


async def test_a_plan_behind_a_job_of_tonight_starts_at_once(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        tonight = {"plan": (await make_plan(agent))["id"], "start_at": int(time.time()) + 8 * 3600}
        job = await post(agent, "/v1/fine_tuning/jobs", tonight, status=200)
        plan = await make_plan(agent, suffix="now")
        assert (plan["queue_position"], plan["queue_wait_minutes"]) == (1, 0)
        await post(agent, "/v1/fine_tuning/jobs", {"plan": plan["id"]}, status=200)
        assert (await get(agent, f"/v1/fine_tuning/jobs/{job['id']}"))["queue_position"] == 2


async def test_no_start_is_estimated_on_a_paused_machine(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        job = await post(agent, "/v1/fine_tuning/jobs", {"plan": (await make_plan(agent))["id"]}, status=200)
        assert job["estimated_start"] is not None
        await post(agent, "/v1/agent/pause", {}, status=200)
        assert (await get(agent, "/v1/fine_tuning/jobs/1"))["estimated_start"] is None


@pytest.mark.process
async def test_queued_job_says_when_it_will_start_and_finish(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        ids = [
            (await post(agent, "/v1/fine_tuning/jobs", {"plan": (await make_plan(agent))["id"]}, status=200))["id"]
            for _ in range(3)
        ]
        await agent.until_step(ids[0])
        second, first, running = (await get(agent, "/v1/fine_tuning/jobs"))["data"]
        assert first["estimated_start"] == pytest.approx(running["estimated_finish"], abs=2)
        assert second["estimated_start"] == pytest.approx(first["estimated_finish"], abs=2)
        assert second["estimated_finish"] > second["estimated_start"]
        assert (first["started_at"], running["estimated_start"]) == (None, None)
        assert running["started_at"] >= running["created_at"]
        assert (await get(agent, "/v1/fine_tuning/jobs/3"))["estimated_start"] is not None


async def test_inspection_is_logged_with_who_asked_for_it(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="agent.api.inspections")
    async with run_agent(settings, works=False) as agent:
        mia = {"platform": "terminal", "person": "mia", "chat": "home"}
        path = f"/v1/files/{await agent.upload()}/inspections"
        inspection = await post(agent, path, {"model": MODEL, "requested_by": mia}, status=202)
    [line] = [record.getMessage() for record in caplog.records if record.name == "agent.api.inspections"]
    assert line.startswith(f"{inspection['id']}: asked for by ")
    assert "mia" in line


@pytest.mark.process
async def test_queued_job_is_cancelled_at_once_and_only_once(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await post(agent, "/v1/fine_tuning/jobs", {"plan": (await make_plan(agent))["id"]}, status=200)
        cancelled = await post(agent, "/v1/fine_tuning/jobs/1/cancel", {}, status=200)
        assert cancelled["status"] == "cancelled"
        refused = await post(agent, "/v1/fine_tuning/jobs/1/cancel", {}, status=409)
        assert refused["error"]["code"] == "job_finished"
        assert "#1" in refused["error"]["message"]


async def test_file_of_an_unfinished_job_cannot_be_deleted(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        plan = await make_plan(agent)
        await post(agent, "/v1/fine_tuning/jobs", {"plan": plan["id"]}, status=200)
        path = f"/v1/files/{plan['training_file']}"
        async with agent.http.delete(path) as response:
            assert response.status == 409
            error = (await response.json())["error"]
        assert error["code"] == "file_in_use"
        assert "#1" in error["message"]
        await post(agent, "/v1/fine_tuning/jobs/1/cancel", {}, status=200)
        async with agent.http.delete(path) as response:
            assert response.status == 200


async def test_job_is_validated_in_the_background_and_fails_with_the_reason(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create(training_file=await agent.upload(b"broken\n"))
        assert await agent.status(job_id) == "validating_files"
        agent.inspector.gate.set()
        await agent.until_status(job_id, "failed")
        job = await get(agent, f"/v1/fine_tuning/jobs/{job_id}")
        assert job["error"]["code"] == "dataset_broken"
        assert "Line 1" in job["error"]["message"]


@pytest.mark.process
async def test_job_cancelled_while_its_file_is_read_stays_cancelled(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
        await post(agent, f"/v1/fine_tuning/jobs/{job_id}/cancel", {}, status=200)
        agent.inspector.gate.set()
        other = await agent.create()
        await agent.until_status(other, "succeeded")
        assert await agent.status(job_id) == "cancelled"


async def test_job_says_on_whose_behalf_it_runs(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        mia = {"platform": "terminal", "person": "17", "chat": "-1001", "name": "Mia"}
        job_id = await agent.create(requested_by=mia)
        assert (await get(agent, f"/v1/fine_tuning/jobs/{job_id}"))["requested_by"].items() >= mia.items()


async def test_unknown_ids_are_named(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        paths = {
            "/v1/files/file-no": "file-no",
            "/v1/files/file-no/content": "file-no",
            "/v1/inspections/insp-no": "insp-no",
            "/v1/fine_tuning/plans/ftplan-no": "ftplan-no",
            "/v1/fine_tuning/jobs/ftjob-no": "ftjob-no",
            "/v1/fine_tuning/jobs/12": "#12",
            "/v1/fine_tuning/jobs/12/events": "#12",
            "/v1/fine_tuning/jobs/12/checkpoints": "#12",
            "/v1/fine_tuning/jobs/12/log": "#12",
            "/v1/fine_tuning/jobs/12/plot.png": "#12",
            "/v1/nothing": "/v1/nothing",
        }
        for path, name in paths.items():
            error = (await get(agent, path, status=404))["error"]
            assert (error["code"], name in error["message"]) == ("not_found", True), error


async def test_inspection_is_waited_for(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        agent.inspector.gate.clear()
        file = await agent.upload()
        started = await post(agent, f"/v1/files/{file}/inspections", {"model": MODEL}, status=202)
        assert started["status"] == "running"
        waiting = asyncio.create_task(get(agent, f"/v1/inspections/{started['id']}?wait_s=30"))
        agent.inspector.gate.set()
        done = await waiting
        assert (done["status"], done["rows"], done["form"]) == ("completed", 100, "prompt/completion")
        await make_plan(agent, training_file=file)
        assert agent.inspector.models == [MODEL]  # the plan took over what the inspection had found


async def test_failed_inspection_says_why(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        file = await agent.upload(b"broken")
        started = await post(agent, f"/v1/files/{file}/inspections", {"model": MODEL}, status=202)
        done = await get(agent, f"/v1/inspections/{started['id']}?wait_s=30")
        assert (done["status"], done["error"]["code"]) == ("failed", "dataset_broken")
