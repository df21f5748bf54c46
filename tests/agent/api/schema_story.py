"""An agent that has something of each kind is asked everything, and is then started again over what was stored."""

import asyncio
from collections.abc import Callable

from agent.settings import AgentSettings
from shared.jobs import UNFINISHED
from shared.people import HEADER, header_of
from tests.agent.api.asking import MIA, OLGA, allow, ask, pair
from tests.agent.api.schema_requests import Answers, Requests, send_all
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import HUB_MODEL, KEY, ROWS, Agent, run_agent

STRANGE = ["", "0", "9" * 30, "-1", "..", "a\x00b", "\U0010ffff", "'; --", "%00", "x" * 500]  # ids that are none

PROMPT = {"question": "prompt", "answer": "completion"}
SETTLED: dict[str, list[object]] = {
    "JobRequest.method": [{"type": "supervised"}, None],
    "JobRequest.hyperparameters": [{"n_epochs": 2}, None],
    "JobRequest.mapping": [PROMPT, None],
    "PlanChanges.method": [{"type": "supervised"}, None],
    "PlanChanges.mapping": [PROMPT, None],
    "InspectionRequest.mapping": [PROMPT, None],
    "FixRequest.mapping": [PROMPT, None],
}
LEFT = 3  # jobs that are worked on at the next start; more would only take time


async def ask_everything(
    settings: AgentSettings, *, dice: int, examples: int, short: bool, told: Callable[[str], object] = lambda _: None
) -> Answers:
    """Ask an agent whose queue stands still: what is made stays for the next start.

    In short, settings and mapping are asked everything in a plan alone: elsewhere they are the same models.
    """
    settings = settings.model_copy(update={"hearth_public_url": "https://hearth.example.org"})
    async with run_agent(settings) as agent:
        await pair(agent)
        await allow(agent, "chat", "kitchen")
        job_id = await agent.create()
        await agent.until_status(job_id, "succeeded")
        (agent.folder(job_id).export / "toast.gguf").write_bytes(b"GGUF")
    async with run_agent(settings, "hold") as agent:
        paused = await agent.create()
        await agent.until_step(paused)
        await agent.act(f"/v1/fine_tuning/jobs/{paused}/pause")
        await agent.until_status(paused, "paused")
    async with run_agent(settings, works=False) as agent:
        known = await _known(agent, job_id, paused) | (SETTLED if short else {})
        document = await ask(agent, "GET", "/openapi.json")
        asked = Requests(
            url=agent.url, key=KEY, document=document, known=known, strange=STRANGE, dice=dice, examples=examples
        )
        return await asyncio.to_thread(send_all, asked, told)


async def _known(agent: Agent, job_id: str, paused: str) -> dict[str, list[object]]:
    """Return values that stand for something stored, by the name of the parameter or field, beside some that do not."""
    file_id = await agent.upload()
    held = await agent.upload(ROWS.replace(b"Question", b"Frage"), name="held.jsonl")
    wanted = {"model": MODEL, "training_file": file_id}
    plan = await ask(agent, "POST", "/v1/fine_tuning/plans", body=wanted)
    reading = await ask(agent, "POST", f"/v1/files/{file_id}/inspections", body={"model": MODEL}, status=202)
    result = (await agent.job(job_id))["result_files"][0]
    owner = OLGA.model_dump(mode="json")
    return {
        "job_id": ["1", job_id, paused],
        "file_id": [file_id, result],
        "plan_id": [plan["id"]],
        "inspection_id": [reading["id"]],
        "training_file": [file_id],
        "validation_file": [held, None],
        "plan": [plan["id"], None],
        "model": [HUB_MODEL, MODEL],
        "ChatRequest.model": ["toast:v1"],
        "model_id": ["toast", MODEL],
        "requested_by": [owner, None],
        "ChatMove.chat": ["-4012"],
        "ChatMove.to": ["-1004012345678"],
        "platform": ["discord"],
        "ChatMove.platform": ["telegram"],
        "kind": ["person", "chat"],
        "id": ["17", "kitchen"],
        HEADER: [header_of(OLGA), header_of(MIA)],
    }


async def goes_on(settings: AgentSettings) -> None:
    """Start an agent over the same folder: its supervisor works, a plan can be made, and a job of it ends."""
    async with run_agent(settings) as agent:
        await agent.act("/v1/agent/resume")
        listed = (await ask(agent, "GET", "/v1/fine_tuning/jobs?limit=1000"))["data"]
        for job in [job for job in listed if job["status"] in UNFINISHED][LEFT:]:
            async with agent.http.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel") as response:
                assert response.status in (200, 409), await response.text()  # 409: it has ended meanwhile
        wanted = {"model": MODEL, "training_file": await agent.upload(), "suffix": "again"}
        plan = await ask(agent, "POST", "/v1/fine_tuning/plans", body=wanted)
        last = await ask(agent, "POST", "/v1/fine_tuning/jobs", body={"plan": plan["id"]})
        await agent.until_status(last["id"], "succeeded")
