"""Inspections while they run and when they are done; mended files."""

import pytest

from agent.api.fixes import mended_name
from agent.running.job_spec import make_spec
from agent.scheduling.worker import LOCAL
from agent.settings import AgentSettings
from agent.store import running_jobs
from shared.inspections import DatasetForm
from tests.agent.api.asking import MIA, TOM, TOM_ELSEWHERE, allow, ask, pair, refused, upload
from tests.agent.fake_inspector import FRAGE, MODEL
from tests.agent.running_agent import MACHINE, ROWS, run_agent, source_for

DOUBLED = ROWS + ROWS.splitlines(keepends=True)[0]


async def test_a_running_inspection_says_how_far_it_is_and_a_finished_one_has_a_report(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        agent.inspector.gate.clear()
        file_id = await agent.upload()
        insp = (await ask(agent, "POST", f"/v1/files/{file_id}/inspections", body={"model": MODEL}, status=202))["id"]
        await agent.inspector.asked.wait()
        seen = await ask(agent, "GET", f"/v1/inspections/{insp}")
        assert seen["progress"] == {"rows": 1, "bytes": 10, "of": 100}
        error = (await ask(agent, "GET", f"/v1/inspections/{insp}/report", status=404))["error"]
        assert "still running" in error["message"]
        agent.inspector.gate.set()
        done = await ask(agent, "GET", f"/v1/inspections/{insp}?wait_s=20")
        assert (done["status"], done["progress"]) == ("completed", None)
        async with agent.http.get(f"/v1/inspections/{insp}/report", headers={"Accept-Language": "de"}) as response:
            page = await response.text()
            assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''toast-report.html"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert '<html lang="de">' in page
        assert "<mark>Toast.</mark>" in page
        async with agent.http.get(f"/v1/inspections/{insp}/lengths.png") as response:
            assert (await response.read()).startswith(b"\x89PNG")
            assert response.headers["X-Alt-Text"].startswith("Row lengths. 100 rows are kept whole")


async def test_a_fix_makes_a_file_that_names_its_parent_and_twice_the_same_one(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        file_id = await agent.upload(DOUBLED, name="toast.csv")
        fixes = {"model": MODEL, "fixes": ["dedupe"]}
        once, twice = [await ask(agent, "POST", f"/v1/files/{file_id}/fixes", body=fixes) for _ in range(2)]
        assert (once["rows"], once["removed"], once["changed"]) == (100, 1, 0)
        assert (once["file"]["parent"], once["file"]["filename"]) == (file_id, "toast-2.jsonl")
        assert once["file"] == twice["file"]
        async with agent.http.get(f"/v1/files/{once['file']['id']}/content") as response:
            assert await response.read() == ROWS
        assert len(list(settings.files_dir.iterdir())) == 2
        await ask(agent, "POST", f"/v1/files/{file_id}/fixes", body={"model": MODEL, "fixes": []}, status=400)
        await ask(agent, "POST", f"/v1/files/{file_id}/fixes", body={"model": MODEL, "fixes": ["polish"]}, status=400)


async def test_who_may_not_train_on_a_file_may_not_mend_it(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        for person in (MIA, TOM):
            await allow(agent, "person", person.person)
        file_id = await upload(agent, MIA)
        fixes = {"model": MODEL, "fixes": ["dedupe"]}
        await refused(agent, "POST", f"/v1/files/{file_id}/fixes", TOM_ELSEWHERE, fixes)
        assert len(list(settings.files_dir.iterdir())) == 1
        mended = await ask(agent, "POST", f"/v1/files/{file_id}/fixes", TOM, fixes)
        assert mended["file"]["parent"] == file_id


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("a.jsonl", "a-2.jsonl"),
        ("a-2.jsonl", "a-3.jsonl"),
        ("a.tar.gz", "a-2.jsonl"),
        ("my-2024.csv", "my-2024-2.jsonl"),
    ],
)
def test_a_mended_file_is_named_after_the_old_one(name: str, mended: str) -> None:
    assert mended_name(name) == mended


UNCLEAR = ROWS.replace(b"prompt", b"frage").replace(b"completion", b"antwort")


async def test_what_is_unclear_is_asked_and_the_answer_holds_to_the_job(settings: AgentSettings) -> None:
    said = FRAGE.model_dump(exclude_none=True, mode="json")
    async with run_agent(settings, works=False) as agent:
        file_id = await agent.upload(UNCLEAR)
        path, body = f"/v1/files/{file_id}/inspections", {"model": MODEL, "note": "epochs:2"}
        insp = (await ask(agent, "POST", path, body=body, status=202))["id"]
        asked = await ask(agent, "GET", f"/v1/inspections/{insp}?wait_s=20")
        assert (asked["status"], asked["note"], asked["form"]) == ("completed", "epochs:2", None)
        mapping = asked["question"]["choices"][0]["mapping"]
        assert (mapping["question"], mapping["answer"]) == ("frage", "antwort")
        plan = {"model": MODEL, "training_file": file_id}
        refusal = await ask(agent, "POST", "/v1/fine_tuning/plans", body=plan, status=400)
        assert (refusal["error"]["code"], refusal["error"]["param"]) == ("dataset_unclear", "mapping")
        insp = (await ask(agent, "POST", path, body={"model": MODEL, "mapping": said}, status=202))["id"]
        read = await ask(agent, "GET", f"/v1/inspections/{insp}?wait_s=20")
        assert (read["rows"], read["question"]) == (100, None)
        planned = await ask(agent, "POST", "/v1/fine_tuning/plans", body=plan | {"mapping": said})
        assert planned["mapping"]["answer"] == "antwort"
        assert agent.inspector.models == [MODEL] * 3, "the plan leans on the inspection that was read so"
        job = await ask(agent, "POST", "/v1/fine_tuning/jobs", body={"plan": planned["id"]})
        assert job["mapping"]["question"] == "frage"
        both = {"plan": planned["id"], "mapping": said}
        error = (await ask(agent, "POST", "/v1/fine_tuning/jobs", body=both, status=400))["error"]
        assert "settled by the plan" in error["message"]
        closed = {"model": MODEL, "mapping": said | {"colour": "blue"}}
        assert (await ask(agent, "POST", path, body=closed, status=400))["error"]["code"] == "invalid_request"


async def test_a_job_without_a_plan_is_read_as_said(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        file_id = await agent.upload(UNCLEAR)
        body = {"model": MODEL, "training_file": file_id, "mapping": {"question": "frage", "answer": "antwort"}}
        job = await ask(agent, "POST", "/v1/fine_tuning/jobs", body=body)
        await agent.until_status(job["id"], "queued")
        claim = await agent.store.run(running_jobs.claim_next, worker=LOCAL, now=2.0**33)
        assert claim is not None
        spec = make_spec(claim, settings, MACHINE, source_for(claim.plan.plan.model, settings))
        assert (spec.mapping, spec.form) == (FRAGE, DatasetForm.prompt_completion)
        del body["mapping"]
        job = await ask(agent, "POST", "/v1/fine_tuning/jobs", body=body)
        await agent.until_status(job["id"], "failed")
        assert (await agent.job(job["id"]))["error"]["code"] == "dataset_unclear"
