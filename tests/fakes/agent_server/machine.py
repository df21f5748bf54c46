"""The machine, its feed of everything, and the models."""

from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from shared.events import StateData
from shared.jobs import JobStatus, PauseReason
from shared.machine import AgentInfo, Health, WorkerInfo
from shared.models import Model, ModelList
from shared.people import Action
from tests.fakes.agent_server.answers import answer
from tests.fakes.agent_server.facts import NOW
from tests.fakes.agent_server.rights import Rule

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent


class MachineRoutes:
    """/v1/agent, /v1/models, /healthz."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._agent = agent

    def rules(self) -> list[Rule]:
        return [
            Rule("GET", "/v1/models", self._models, Action.see_machine),
            Rule("GET", "/v1/agent", self._info, Action.see_machine),
            Rule("POST", "/v1/agent/pause", self._pause_machine, Action.pause_machine),
            Rule("POST", "/v1/agent/resume", self._resume_machine, Action.pause_machine),
            Rule("GET", "/v1/agent/events", self._feed, Action.follow_all),
            Rule("GET", "/healthz", self._health, None),
        ]

    async def _pause_machine(self, request: web.Request) -> web.Response:
        self._agent.paused = True
        for job in list(self._agent.jobs.values()):
            if job.status is JobStatus.running:
                self._agent.change(job.id, status=JobStatus.paused, paused=PauseReason.agent)
                self._agent.emit(job.id, StateData(status=JobStatus.paused))
        return await self._info(request)

    async def _resume_machine(self, request: web.Request) -> web.Response:
        self._agent.paused = False
        for job in list(self._agent.jobs.values()):
            if job.paused in (PauseReason.agent, PauseReason.gpu):
                self._agent.change(job.id, status=JobStatus.queued, paused=None)
                self._agent.emit(job.id, StateData(status=JobStatus.queued))
        return await self._info(request)

    async def _models(self, _request: web.Request) -> web.Response:
        base = Model(
            id="smollm2-135m", created=NOW, owned_by="HuggingFaceTB", kind="base", parameters=134_515_008,
            license="apache-2.0", memory_mib=1234, usual_hours=1.5, fits=True,
        )  # fmt: skip
        others = [
            Model(
                id="Qwen/Qwen2.5-1.5B-Instruct", created=NOW, owned_by="Qwen", kind="base", parameters=1_543_714_304,
                license="apache-2.0", here=False, memory_mib=3900, usual_hours=9.0, fits=True,
                strengths="many languages, code, mathematics",
            ),
            Model(
                id="meta-llama/Llama-3.3-70B-Instruct", created=NOW, owned_by="meta-llama", kind="base",
                parameters=70_553_706_496, license="llama3.3", here=False, gated=True, memory_mib=44_000,
                usual_hours=400.0, fits=False,
            ),
        ]  # fmt: skip
        tuned = Model(id="toast:v1", created=NOW, owned_by="hearth", kind="tuned", base="smollm2-135m", job_id="1")
        return answer(ModelList(data=[base, *others, tuned]))

    async def _info(self, _request: web.Request) -> web.Response:
        running = [job.id for job in self._agent.jobs.values() if job.status is JobStatus.running]
        queued = [job for job in self._agent.jobs.values() if job.status is JobStatus.queued]
        worker = WorkerInfo(
            name="local", device="CPU (2 cores)", memory_total_mib=7800, running_job=running[0] if running else None,
            task=self._agent.task,
        )  # fmt: skip
        info = AgentInfo(
            version="0.1.0", started_at=NOW, device="CPU (2 cores)", memory_kind="RAM", memory_free_mib=5400,
            memory_total_mib=7800, disk_free_mib=12_000, file_size_limit=self._agent.file_size_limit,
            running_job=running[0] if running else None, workers=[worker], queued_jobs=len(queued),
            feed_cursor=len(self._agent.events),
            paused=self._agent.paused, warnings=self._agent.warnings,
        )  # fmt: skip
        return answer(info)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        sent = int(request.headers.get("Last-Event-ID") or request.query.get("after") or 0)
        self._agent.feeds.append(sent)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": here\n\n")
        with suppress(ConnectionError):
            while self._agent.listens:
                for event in self._agent.events[sent:]:
                    await response.write(f"id: {event.cursor}\ndata: {event.model_dump_json()}\n\n".encode())
                    sent = event.cursor
                await self._agent.next_event()
        return response

    async def _health(self, _request: web.Request) -> web.Response:
        return answer(Health(version="0.1.0"))
