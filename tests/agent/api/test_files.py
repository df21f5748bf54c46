"""Uploads and downloads."""

import hashlib
import io
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData

from agent.api.upload import remove_leftovers
from agent.settings import AgentSettings
from agent.store import files
from shared.people import HEADER
from tests.agent.running_agent import Agent, run_agent


async def upload(agent: Agent, form: FormData, **headers: str) -> tuple[int, dict[str, object]]:
    async with agent.http.post("/v1/files", data=form, headers=headers) as response:
        return response.status, await response.json()


def form_of(content: bytes, *, name: str = "a.jsonl", purpose: str | None = "fine-tune", **fields: str) -> FormData:
    form = FormData(fields, quote_fields=False)
    form.add_field("file", content, filename=name)
    if purpose is not None:
        form.add_field("purpose", purpose)  # behind the file: the order is the client's
    return form


async def test_upload_is_hashed_private_and_named_safely(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        status, file = await upload(agent, form_of(b"{}\n", name="../../e\u202etc/passwd.jsonl"))
        assert (status, file["filename"], file["bytes"]) == (200, "passwd.jsonl", 3)
        assert file["sha256"] == hashlib.sha256(b"{}\n").hexdigest()
        stored = settings.files_dir / str(file["id"])
        assert stored.read_bytes() == b"{}\n"
        assert stored.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("streamed", [False, True])
async def test_upload_over_the_limit_is_refused_and_leaves_nothing(settings: AgentSettings, streamed: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1024 * 1024

    async with run_agent(settings, works=False) as agent:
        form = FormData()
        form.add_field("file", chunks() if streamed else io.BytesIO(b"x" * 3 * 1024 * 1024), filename="big.jsonl")
        status, answer = await upload(agent, form)
        assert status == 413
        assert "1 MiB" in str(answer)
        assert "file_too_large" in str(answer)
        assert list(settings.files_dir.iterdir()) == []


async def test_bad_uploads_are_refused_in_a_sentence_and_leave_nothing(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        nameless = FormData()
        nameless.add_field("purpose", "fine-tune", content_type="text/plain")
        nameless.add_field("other", b"x", filename="x")
        cases = [
            (form_of(b""), "dataset_empty", "a.jsonl is empty"),
            (form_of(b"x", purpose=None), "invalid_request", "purpose is missing"),
            (form_of(b"x", purpose="assistants"), "invalid_request", "“assistants”"),
            (form_of(b"x", expires="1"), "invalid_request", "“expires” is not a known field"),
            (form_of(b"x", requested_by="{"), "invalid_request", "not valid JSON"),
            (nameless, "invalid_request", "“other” is not a known field"),
        ]
        for form, code, words in cases:
            status, answer = await upload(agent, form)
            error = answer["error"]
            assert isinstance(error, dict)
            assert (status, error["code"], words in error["message"]) == (400, code, True), error
        for body, kind in [(b"{}", "application/json"), (b"--x\r\n", "multipart/form-data; boundary=x")]:
            async with agent.http.post("/v1/files", data=body, headers={"Content-Type": kind}) as response:
                assert response.status == 400, await response.text()
        assert list(settings.files_dir.iterdir()) == []


async def test_upload_that_cannot_be_recorded_leaves_no_bytes(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the database's disk is full")

    async with run_agent(settings, works=False) as agent:
        monkeypatch.setattr(files, "add", fail)
        assert (await upload(agent, form_of(b"{}\n")))[0] == 500
        assert list(settings.files_dir.iterdir()) == []


async def test_sweep_at_start_keeps_what_has_a_row(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        kept = await agent.upload()
        (settings.files_dir / "file-stray").write_bytes(b"x")
        await remove_leftovers(settings, agent.store)
        assert [path.name for path in settings.files_dir.iterdir()] == [kept]


async def test_upload_says_on_whose_behalf(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        mia = json.dumps({"platform": "terminal", "person": "mia", "chat": "home"})
        assert (await upload(agent, form_of(b"{}", requested_by=mia)))[0] == 200
        assert (await upload(agent, form_of(b"{}"), **{HEADER: mia}))[0] == 200
        assert (await upload(agent, form_of(b"{}", requested_by=mia), **{HEADER: mia}))[0] == 200
        other = json.dumps({"platform": "terminal", "person": "tom", "chat": "home"})
        status, answer = await upload(agent, form_of(b"{}", requested_by=mia), **{HEADER: other})
        assert (status, "mia" in str(answer), "tom" in str(answer)) == (400, True, True)


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        (None, 200, b"0123456789"),
        ("bytes=0-3", 206, b"0123"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=10-", 416, None),
        ("bytes=0-1,3-4", 416, None),
    ],
)
async def test_content_is_sent_whole_or_one_range(
    settings: AgentSettings, wanted: str | None, status: int, content: bytes | None
) -> None:
    async with run_agent(settings, works=False) as agent:
        file = await agent.upload(b"0123456789", "zahlen ü.txt")
        headers = {"Range": wanted} if wanted else {}
        async with agent.http.get(f"/v1/files/{file}/content", headers=headers) as response:
            body = await response.read()
            assert response.status == status
            if content is None:
                assert response.headers["Content-Range"] == "bytes */10"
                assert "10 bytes" in json.loads(body)["error"]["message"]
            else:
                assert body == content
                assert "zahlen%20%C3%BC.txt" in response.headers["Content-Disposition"]
