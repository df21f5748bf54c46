"""One member's flood of a real agent process: 50 uploads of 100 MB and 300 inspections, while another makes a plan."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, FormData

from agent.base_models.catalog import PACKAGED
from shared.people import HEADER, RequestedBy, header_of
from tests.agent.api.asking import MIA, OLGA, TOM
from tests.agent.test_main import read_until, start
from tests.soak.campaign import Campaign

SAMPLE = Path("shared/samples/toast.jsonl").read_bytes()
MIB = 1 << 20
UPLOADS, UPLOAD_BYTES, INSPECTIONS = 50, 100_000_000, 300
ROOM_MIB = 1500  # above the floor: for 15 of the 50
PLAN_S = 15.0
LINE = b'{"prompt": "What is the best bread for toast, and why is it that?", "completion": "Two days old."}\n'
Json = dict[str, Any]


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    data = campaign.work / "data"
    floor_mib = shutil.disk_usage(campaign.work).free // MIB - ROOM_MIB
    agent = start(data, HEARTH_DISK_FLOOR_MIB=str(floor_mib))
    try:
        url = read_until(agent, "serves on http").split("serves on ")[1].split()[0].rstrip(".,;")
        key = (data / "agent.key").read_text().strip()
        return asyncio.run(_flood(campaign, url, key, floor_mib))
    finally:
        agent.terminate()
        agent.communicate()


async def _flood(campaign: Campaign, url: str, key: str, floor_mib: int) -> str:
    async with ClientSession(url, headers={"Authorization": f"Bearer {key}"}, timeout=ClientTimeout(900)) as http:
        code = (await _ask(http, "/v1/people/pairing", {}))["code"]
        await _ask(http, "/v1/people/pair", {"code": code}, OLGA)
        kitchen = {"platform": "discord", "kind": "chat", "id": "kitchen", "name": "kitchen", "role": "member"}
        await _ask(http, "/v1/people/grants", kitchen, OLGA)
        toms, _ = await _send(http, SAMPLE, TOM)
        alone_s = await _plan_s(http, toms["id"])  # the base model is described by it, once
        large, _ = await _send(http, LINE * (UPLOAD_BYTES // len(LINE)), MIA)
        asked = [asyncio.create_task(_inspect(http, large["id"])) for _ in range(INSPECTIONS)]
        uploads = [asyncio.create_task(_insist(http)) for _ in range(UPLOADS)]
        await asyncio.wait(asked)
        beside_s = await _plan_s(http, toms["id"])
        campaign.promise(beside_s < PLAN_S, f"the plan of somebody else took {beside_s:.0f} s")
        read = Counter(await asyncio.gather(*asked))
        sent = Counter(await asyncio.gather(*uploads))
        free_mib = shutil.disk_usage(campaign.work).free // MIB
        campaign.promise(free_mib >= floor_mib, f"{free_mib} MiB are free, and {floor_mib} had to stay")
        campaign.promise(set(read) <= {202, 429} and set(sent) == {200, 507}, f"answers were {read}, {sent}")
        await _ask(http, "/healthz", None)  # it lives
    return (
        f"a plan took {alone_s:.1f} s alone, {beside_s:.1f} s beside the flood; inspections {dict(read)}, uploads "
        f"{dict(sent)}; {free_mib - floor_mib} MiB above the floor"
    )


async def _ask(http: ClientSession, path: str, body: Json | None, who: RequestedBy | None = None) -> Json:
    given = None if body is None else body | ({"requested_by": who.model_dump(mode="json")} if who else {})
    async with http.request("GET" if body is None else "POST", path, json=given) as answer:
        said: Json = await answer.json()
    if answer.status >= 400:
        raise RuntimeError(f"{path} was answered {answer.status}: {said}")
    return said


async def _send(http: ClientSession, content: bytes | AsyncIterator[bytes], who: RequestedBy) -> tuple[Json, int]:
    form = FormData({"purpose": "fine-tune"})
    form.add_field("file", content, filename="data.jsonl", content_type="application/jsonl")
    async with http.post("/v1/files", data=form, headers={HEADER: header_of(who)}) as answer:
        return await answer.json(), answer.status


async def _insist(http: ClientSession) -> int:
    """Send a large file, again and again while it is one too many at once."""
    while True:
        _, status = await _send(http, _bytes(), MIA)
        if status != 429:
            return status
        await asyncio.sleep(0.2)


async def _bytes() -> AsyncIterator[bytes]:
    for _ in range(UPLOAD_BYTES // MIB):
        yield LINE * (MIB // len(LINE))
        await asyncio.sleep(0)


async def _inspect(http: ClientSession, file: str) -> int:
    body = {"model": PACKAGED, "requested_by": MIA.model_dump(mode="json")}
    async with http.post(f"/v1/files/{file}/inspections", json=body) as answer:
        return answer.status


async def _plan_s(http: ClientSession, file: str) -> float:
    begun = time.monotonic()
    await _ask(http, "/v1/fine_tuning/plans", {"model": PACKAGED, "training_file": file}, TOM)
    return time.monotonic() - begun
