"""One person's flood over HTTP: it is bounded in words, and nobody else waits behind it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import FormData

from agent.admission.bounds import BOUNDS, Use
from agent.intake.intake import AT_ONCE
from agent.settings import AgentSettings
from shared.people import HEADER, RequestedBy, header_of
from tests.agent.api.asking import MIA, TOM, allow, ask, pair, start, upload
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS, Agent, run_agent

pytestmark = pytest.mark.process

MIB = 1024 * 1024


async def inspect(agent: Agent, file: str, who: RequestedBy) -> int:
    body = {"model": MODEL, "requested_by": who.model_dump(mode="json")}
    async with agent.http.post(f"/v1/files/{file}/inspections", json=body) as response:
        if response.status != 202:
            assert (await response.json())["error"]["code"] == "too_much_at_once"
        return response.status


async def send(agent: Agent, who: RequestedBy, size: int) -> tuple[int, str]:
    form = FormData({"purpose": "fine-tune"})
    form.add_field("file", ROWS[:1] * size, filename="a.jsonl")
    async with agent.http.post("/v1/files", data=form, headers={HEADER: header_of(who)}) as response:
        return response.status, await response.text()


async def members(agent: Agent) -> None:
    await pair(agent)
    await allow(agent, "chat", "kitchen")


async def test_a_flood_of_inspections_is_refused_above_its_bound_and_leaves_others_their_turn(
    settings: AgentSettings,
) -> None:
    async with run_agent(settings, works=False) as agent:
        await members(agent)
        file = await upload(agent, MIA)
        agent.inspector.gate.clear()
        statuses = Counter(await asyncio.gather(*(inspect(agent, file, MIA) for _ in range(300))))
        assert statuses == {202: BOUNDS[Use.inspection].person, 429: 300 - BOUNDS[Use.inspection].person}
        assert len(agent.inspector.models) == 1 < AT_ONCE
        agent.inspector.asked.clear()
        theirs = asyncio.create_task(start(agent, TOM))
        async with asyncio.timeout(10):
            await agent.inspector.asked.wait()  # read at once, beside Mia's first and before her others
        agent.inspector.gate.set()
        assert (await theirs)["status"] == "queued"
        async with asyncio.timeout(10):
            while agent.services.in_flight._counts:  # noqa: ASYNC110 -- what has ended is counted no more
                await asyncio.sleep(0.01)
        assert await inspect(agent, file, MIA) == 202


async def test_uploads_at_once_leave_the_disk_above_its_floor(settings: AgentSettings) -> None:
    floor = settings.hearth_disk_floor_mib * MIB
    at_start = floor + 2 * MIB

    def free(data_dir: Path) -> int:
        return at_start - sum(path.stat().st_size for path in (data_dir / "files").iterdir())

    async with run_agent(settings, works=False, disk_free=free) as agent:
        await members(agent)
        answers = [await send(agent, MIA, MIB // 2) for _ in range(8)]
        assert {status for status, _ in answers} == {200, 507}
        refusal = next(text for status, text in answers if status == 507)
        assert "insufficient_disk" in refusal
        assert "64 MiB stay free" in refusal
        assert free(settings.hearth_data_dir) >= floor
        at_once = await asyncio.gather(*(send(agent, MIA, MIB // 2) for _ in range(50)))
        assert {status for status, _ in at_once} <= {429, 507}
        assert free(settings.hearth_data_dir) >= floor


async def test_stored_datasets_and_waiting_jobs_have_a_bound(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_agent(settings, works=False) as agent:
        await members(agent)
        monkeypatch.setitem(BOUNDS, Use.job, BOUNDS[Use.job].__class__(use=Use.job, person=1, key=5, again="Later."))
        await start(agent, MIA)
        wanted = {"model": MODEL, "training_file": await upload(agent, MIA)}
        error = (await ask(agent, "POST", "/v1/fine_tuning/jobs", MIA, wanted, status=429))["error"]
        assert error["message"].startswith("You have 1 job that has not ended, and 1 is the most")
        assert (await start(agent, TOM))["status"] == "queued"
        bound = BOUNDS[Use.stored].__class__(use=Use.stored, person=len(ROWS) * 3, key=10**9, again="Delete some.")
        monkeypatch.setitem(BOUNDS, Use.stored, bound)
        status, text = await send(agent, MIA, len(ROWS) + 1)
        assert (status, "too_much_stored" in text) == (507, True)
        assert (await send(agent, TOM, len(ROWS)))[0] == 200
