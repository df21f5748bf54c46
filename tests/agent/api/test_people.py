"""People over HTTP: allowing, and what each of them is let do."""

import re
from pathlib import Path

import pytest

from agent.api.app import ROUTES
from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.settings import AgentSettings
from shared.people import HEADER, Action, RequestedBy, header_of
from tests.agent.api.asking import EVE, MIA, OLGA, TOM, TOM_ELSEWHERE, Json, allow, ask, pair, refused, start, upload
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import run_agent

BODIES: dict[str, Json] = {
    "/v1/files/{file_id}/inspections": {"model": MODEL},
    "/v1/files/{file_id}/fixes": {"model": MODEL, "fixes": ["dedupe"]},
    "/v1/fine_tuning/plans": {"model": MODEL, "training_file": "file-1"},
    "/v1/fine_tuning/jobs": {"model": MODEL, "training_file": "file-1"},
    "/v1/fine_tuning/jobs/{job_id}/steer": {"what": "finish"},
    "/v1/people/grants": {"platform": "discord", "kind": "person", "id": "66"},
    "/v1/people/deny": {"platform": "discord", "id": "1"},
    "/v1/models/approvals": {"model": "a/b"},
    "/v1/chats/moves": {"platform": "telegram", "chat": "-4012", "to": "-1004012345678"},
    "/v1/chat/completions": {"model": "toast", "messages": [{"role": "user", "content": "Hello?"}]},
}


async def test_stranger_is_refused_everywhere_in_a_sentence(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="agent.api.authorization")
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await start(agent, OLGA)
        for route in ROUTES:
            if route.open or route.action in (Action.pair, Action.see_self):
                continue
            path = re.sub(r"{\w+}", "1", route.path)
            body = BODIES.get(route.path, {}) if route.body else None
            message = await refused(agent, route.method, path, EVE, body)
            assert "Ölga 🦉" in message or route.action is Action.read_code
        assert (await ask(agent, "GET", "/v1/people/me", EVE))["may"] == ["pair", "see_self"]
        assert (await ask(agent, "GET", "/healthz", EVE))["status"] == "ok"
    assert "refused: cancel_job to Eve (discord 66, chat alley), job '1'" in caplog.text


async def test_owner_allows_by_person_role_chat_and_server_and_denies(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        for kind, subject in (("person", "17"), ("role", "r1"), ("chat", "kitchen"), ("server", "home")):
            await refused(agent, "GET", "/v1/agent", MIA)
            await allow(agent, kind, subject)
            await ask(agent, "GET", "/v1/agent", MIA)
            await ask(agent, "DELETE", f"/v1/people/grants/discord/{kind}/{subject}", OLGA)
        await allow(agent, "server", "home")
        await allow(agent, "role", "r1", "admin")
        assert (await ask(agent, "GET", "/v1/people/me", MIA))["role"] == "admin"
        body = {"platform": "discord", "id": "17", "name": "Mia"}
        await refused(agent, "POST", "/v1/people/deny", MIA, body)
        await ask(agent, "POST", "/v1/people/deny", OLGA, body)
        assert "You were denied" in await refused(agent, "GET", "/v1/agent", MIA)
        listed = (await ask(agent, "GET", "/v1/people", OLGA))["data"]
        assert [(row["kind"], row["id"], row["role"]) for row in listed] == [
            ("person", "1", "owner"),
            ("server", "home", "member"),
            ("role", "r1", "admin"),
            ("person", "17", "denied"),
        ]


async def test_whole_chat_or_server_is_never_an_admin(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        for kind in ("chat", "server"):
            body = {"platform": "discord", "kind": kind, "id": "x", "role": "admin"}
            error = (await ask(agent, "POST", "/v1/people/grants", None, body, status=400))["error"]
            assert (error["param"], "member at most" in error["message"]) == ("role", True)
        body = {"platform": "discord", "kind": "person", "id": "x", "role": "owner"}
        await ask(agent, "POST", "/v1/people/grants", None, body, status=400)
        await ask(agent, "DELETE", "/v1/people/grants/discord/person/x", status=404)
        await ask(agent, "DELETE", "/v1/people/grants/discord/animal/x", status=400)


async def test_member_controls_only_what_is_their_own(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        mias, toms = await start(agent, MIA), await start(agent, TOM)
        for action in ("cancel", "pause", "resume"):
            path = f"/v1/fine_tuning/jobs/{mias['number']}/{action}"
            assert f"started by Mia. Only they, the owner of this machine (Ölga 🦉) and admins may {action} it" in (
                await refused(agent, "POST", path, TOM, {})
            )
        assert "start it" in await refused(agent, "POST", "/v1/fine_tuning/jobs", TOM, {"plan": mias["plan"]})
        assert "delete it" in await refused(agent, "DELETE", f"/v1/files/{mias['training_file']}", TOM)
        await refused(agent, "POST", "/v1/agent/pause", TOM, {})
        assert (await ask(agent, "GET", f"/v1/fine_tuning/jobs/{mias['id']}", MIA))["status"] == "queued"
        await ask(agent, "POST", f"/v1/fine_tuning/jobs/{toms['id']}/cancel", TOM, {})
        await ask(agent, "POST", f"/v1/fine_tuning/jobs/{mias['id']}/cancel", OLGA, {})


async def test_admin_acts_on_anyones_job_and_pauses_the_machine_and_allows_nobody(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await allow(agent, "person", "17", "admin")
        await allow(agent, "person", "18")
        toms = await start(agent, TOM)
        await ask(agent, "POST", f"/v1/fine_tuning/jobs/{toms['id']}/cancel", MIA, {})
        assert (await ask(agent, "POST", "/v1/agent/pause", MIA, {}))["paused"]
        await refused(agent, "POST", "/v1/people/grants", MIA, BODIES["/v1/people/grants"])


@pytest.mark.process
async def test_others_job_is_seen_whole_where_it_was_started_and_in_short_elsewhere(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        mias = await start(agent, MIA)
        await agent.until_status(mias["id"], "succeeded")
        path = f"/v1/fine_tuning/jobs/{mias['number']}"
        whole = await ask(agent, "GET", path, TOM)
        assert whole["result"]["verdict"]
        inside = [f"{path}/{part}" for part in ("events", "log", "plot.png", "share.png", "checkpoints")]
        inside += [f"/v1/files/{file}{part}" for file in whole["result_files"] for part in ("", "/content")]
        inside += [f"/v1/files/{mias['training_file']}", f"/v1/fine_tuning/plans/{mias['plan']}"]
        wanted = {"model": MODEL, "training_file": mias["training_file"]}
        toms = await upload(agent, TOM_ELSEWHERE)
        for inner in inside:
            await ask(agent, "GET", inner, TOM)
            assert "in another chat, by Mia" in await refused(agent, "GET", inner, TOM_ELSEWHERE)
            await ask(agent, "GET", inner, MIA.model_copy(update={"chat": "attic"}))
        for elsewhere in ("/v1/fine_tuning/plans", "/v1/fine_tuning/jobs"):
            await refused(agent, "POST", elsewhere, TOM_ELSEWHERE, wanted)
            held = wanted | {"training_file": toms, "validation_file": mias["training_file"]}
            await refused(agent, "POST", elsewhere, TOM_ELSEWHERE, held)
        await ask(agent, "DELETE", f"/v1/files/{toms}", TOM_ELSEWHERE)
        short = await ask(agent, "GET", path, TOM_ELSEWHERE)
        assert (short["status"], short["requested_by"]["name"]) == ("succeeded", "Mia")
        assert (short["result"], short["result_files"]) == (None, [])
        [listed] = (await ask(agent, "GET", "/v1/fine_tuning/jobs", TOM_ELSEWHERE))["data"]
        assert listed == short
        assert (await ask(agent, "GET", "/v1/files", TOM_ELSEWHERE))["data"] == []
        assert len((await ask(agent, "GET", "/v1/files", TOM))["data"]) == 2
        assert len((await ask(agent, "GET", "/v1/files", OLGA))["data"]) == 2


async def test_inspection_shows_samples_only_where_the_file_was_sent(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        path = f"/v1/files/{await upload(agent, MIA)}/inspections"
        await refused(agent, "POST", path, TOM_ELSEWHERE, {"model": MODEL})
        inspection = await ask(agent, "POST", path, MIA, {"model": MODEL}, status=202)
        there = f"/v1/inspections/{inspection['id']}?wait_s=30"
        assert (await ask(agent, "GET", there, TOM))["sample"] is not None
        assert "was sent in another chat, by Mia" in await refused(agent, "GET", there, TOM_ELSEWHERE)
        for picture in ("report", "lengths.png"):
            await refused(agent, "GET", f"/v1/inspections/{inspection['id']}/{picture}", TOM_ELSEWHERE)
        fixes = path.replace("inspections", "fixes")
        await refused(agent, "POST", fixes, TOM_ELSEWHERE, {"model": MODEL, "fixes": ["dedupe"]})


async def test_reason_of_a_failure_is_told_where_it_was_started(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        file = await agent.upload(b"broken\n")
        job = await agent.create(training_file=file, requested_by=OLGA.model_dump(mode="json"))
        await agent.until_status(job, "failed")
        assert "Line 1" in (await ask(agent, "GET", f"/v1/fine_tuning/jobs/{job}", OLGA))["error"]["message"]
        error = (await ask(agent, "GET", f"/v1/fine_tuning/jobs/{job}", TOM))["error"]
        assert (error["code"], "Line 1" in error["message"]) == ("dataset_broken", False)


async def test_strangers_upload_leaves_nothing(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        await upload(agent, EVE, status=403)
        assert list(settings.files_dir.iterdir()) == []


def check_model(name: str) -> BaseModelSource:
    kind = SourceKind.hub if "/" in name else SourceKind.packaged
    return BaseModelSource(name=name, kind=kind, location=name, cache=Path("/nowhere"))


async def test_new_model_of_a_member_needs_the_yes_of_the_owner_or_an_admin_once(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, check_model=check_model) as agent:
        await pair(agent)
        await allow(agent, "person", "17")
        await allow(agent, "person", "18", "admin")
        file = await upload(agent, MIA)
        wanted = {"model": "mia/llama", "training_file": file}
        for path, body in (
            (f"/v1/files/{file}/inspections", {"model": "mia/llama"}),
            ("/v1/fine_tuning/plans", wanted),
            ("/v1/fine_tuning/jobs", wanted),
        ):
            message = await refused(agent, "POST", path, MIA, body, code="model_needs_approval")
            assert "“mia/llama” comes from Hugging Face" in message
            assert "Ölga 🦉) or an admin" in message
        await ask(agent, "POST", "/v1/fine_tuning/plans", TOM, wanted)
        await refused(agent, "POST", "/v1/models/approvals", MIA, {"model": "mia/llama"})
        await ask(agent, "POST", "/v1/models/approvals", TOM, {"model": "mia/llama"})
        await ask(agent, "POST", "/v1/fine_tuning/plans", MIA, wanted)
        await ask(agent, "POST", "/v1/fine_tuning/plans", MIA, wanted | {"model": MODEL})
        assert (await ask(agent, "GET", "/v1/people", OLGA))["approved_models"] == ["mia/llama"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ('{"platform":"discord"}', "person is missing"),
        ('{"platform":"discord","person":"1","chat":"1","role":"owner"}', "“role” is not a known field"),
        ('{"platform":"discord","person":"1","chat":"1","name":"Ö"}', "ASCII JSON"),
        ("{" + " " * 8000 + '"platform":"discord","person":"1","chat":"1"}', "at most 8000"),
        ('{"platform":"discord","person":"1 2","chat":"1"}', "person is “1 2”"),
    ],
)
async def test_malformed_header_is_refused_and_never_taken_for_the_key_holders(
    settings: AgentSettings, header: str, words: str
) -> None:
    async with run_agent(settings, works=False) as agent:
        for path in ("/v1/agent", "/v1/people/pairing"):
            async with agent.http.get(path, headers={HEADER: header}) as response:
                assert response.status == 400
                error = (await response.json())["error"]
            assert (error["param"], words in error["message"]) == (HEADER, True), error


async def test_header_and_body_speak_for_the_same_person_or_are_refused(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        body = {"requested_by": OLGA.model_dump(mode="json")}
        for who, status in ((EVE, 400), (OLGA, 403)):
            headers = {HEADER: header_of(who)}
            async with agent.http.post("/v1/agent/pause", json=body, headers=headers) as response:
                assert response.status == status
        await pair(agent)
        job = await start(agent, OLGA)
        headers = {HEADER: header_of(OLGA)}
        async with agent.http.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel", headers=headers) as response:
            assert response.status == 200


def test_header_is_short_ascii_and_reads_back() -> None:
    crowded = MIA.model_copy(update={"roles": tuple(str(10**18 + n) for n in range(250)), "name": "🦉" * 64})
    for who in (OLGA, crowded):
        text = header_of(who)
        assert text.isascii()
        assert len(text) < 8000
        assert RequestedBy.model_validate_json(text) == who


def test_name_is_made_safe_to_show() -> None:
    given = RequestedBy(platform="x", person="1", chat="1", name="  Mia\n\u202eevil\u200b  " + "x" * 100)
    assert given.name is not None
    assert given.name.startswith("Mia evilxx") is False
    assert given.name.startswith("Mia evil x")
    assert len(given.name) == 64


async def test_each_is_refused_and_told_of_their_job_in_their_language(settings: AgentSettings) -> None:
    hans = MIA.model_copy(update={"language": "de"})
    async with run_agent(settings, works=False) as agent:
        assert await refused(agent, "GET", "/v1/agent", hans) == (
            "Hier darf noch niemand diese Maschine nutzen: Diese Maschine hat keinen Besitzer. Wenn sie dir gehört, "
            "sag /pair und den Code, den der Agent beim Start gezeigt hat."
        )
        assert "this machine has no owner" in await refused(agent, "GET", "/v1/agent", MIA)
        await pair(agent)
        await allow(agent, "person", "17")
        job = await start(agent, hans)
        assert job["requested_by"]["language"] == "de"
        told = await ask(agent, "GET", f"/v1/fine_tuning/jobs/{job['id']}/events")
        assert told["data"][-1]["message"] == f"Job angelegt: {job['id']}"
