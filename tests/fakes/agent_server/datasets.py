"""Files, what was understood of them, and plans."""

import asyncio
from typing import TYPE_CHECKING

from aiohttp import MultipartReader, StreamReader, web

from agent.intake.job_again import request_again
from shared.errors import ErrorBody, ErrorCode
from shared.files import FileDeleted, FileLink, FileList, FixedFile, FixRequest, UnusedDatasets
from shared.inspections import (
    DroppedRow,
    Inspection,
    InspectionRequest,
    LengthHistogram,
    SampleRow,
    TokenCounts,
)
from shared.people import Action, RequestedBy
from shared.plans import Alternative, MemoryParts, Plan, PlanChanges, PlanRequest, Range
from tests.fakes.agent_server.answers import answer, refusal, refuse
from tests.fakes.agent_server.facts import NOW, PNG, REASONS, SETTINGS
from tests.fakes.agent_server.rights import Rule, asker

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent


PARTS = MemoryParts(
    weights=110.2, lora=18.7, gradients=18.7, optimizer=37.3, activations=95.0, logits=140.6, fragmentation=58.9,
    runtime=520,
)  # fmt: skip


class DatasetRoutes:
    """/v1/files, /v1/inspections, /v1/fine_tuning/plans."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._agent = agent

    def rules(self) -> list[Rule]:
        return [
            Rule("POST", "/v1/files", self._upload, Action.start_job),
            Rule("GET", "/v1/files", self._list, Action.see_file),
            Rule("GET", "/v1/datasets/unused", self._unused, Action.delete_file),
            Rule("GET", "/v1/files/{id}", self._file, Action.see_file, "file"),
            Rule("DELETE", "/v1/files/{id}", self._delete, Action.delete_file, "file"),
            Rule("GET", "/v1/files/{id}/content", self._content, Action.see_file, "file"),
            Rule("POST", "/v1/files/{id}/links", self._link, Action.link_file, "file"),
            Rule("POST", "/v1/files/{id}/inspections", self._inspect, Action.start_job, "file"),
            Rule("GET", "/v1/inspections/{id}", self._inspection, Action.see_file),
            Rule("GET", "/v1/inspections/{id}/report", self._report, Action.see_file),
            Rule("GET", "/v1/inspections/{id}/lengths.png", self._lengths, Action.see_file),
            Rule("POST", "/v1/files/{id}/fixes", self._fix, Action.start_job, "file"),
            Rule("POST", "/v1/fine_tuning/plans", self._plan, Action.start_job),
            Rule("POST", "/v1/fine_tuning/jobs/{id}/plans", self._plan_again, Action.start_job, "job"),
            Rule("GET", "/v1/fine_tuning/plans/{id}", self._offered_plan, Action.see_plan, "plan"),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        name, content = "", b""
        # Whole before it is parsed: aiohttp 3.14 warns of itself when a boundary arrives in two pieces.
        body = StreamReader(request.protocol, 2**30, loop=asyncio.get_running_loop())
        body.feed_data(await request.read())
        body.feed_eof()
        async for part in MultipartReader(request.headers, body):
            if getattr(part, "name", None) == "file":
                name, content = part.filename or "", await part.read()  # type: ignore[union-attr]
        file = self._agent.add_file(name, content)
        self._agent.made_by[file.id] = asker(request)
        return answer(file)

    async def _list(self, request: web.Request) -> web.Response:
        who, limit = asker(request), int(request.query["limit"])
        sent = [file for file, _ in reversed(self._agent.files.values()) if file.purpose == request.query["purpose"]]
        near = [file for file in sent if self._agent.people.reaches(who, self._agent.made_by.get(file.id))]
        return answer(FileList(data=near[:limit], has_more=len(near) > limit))

    async def _unused(self, request: web.Request) -> web.Response:
        who = asker(request)
        old = [file for key, (file, _) in self._agent.files.items() if key in self._agent.unused]
        mine = [file for file in old if self._agent.people.owns(who, self._agent.made_by.get(file.id))]
        return answer(UnusedDatasets(data=mine, bytes=sum(file.bytes for file in mine), days=30))

    async def _file(self, request: web.Request) -> web.Response:
        return answer(self._agent.files[request.match_info["id"]][0])

    async def _delete(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        del self._agent.files[file_id]
        return answer(FileDeleted(id=file_id))

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self._agent.files[request.match_info["id"]][1])

    async def _link(self, request: web.Request) -> web.Response:
        if self._agent.public_url is None:
            return refuse(ErrorCode.links_off, "This agent has no HEARTH_PUBLIC_URL.", status=400)
        path = f"/v1/files/{request.match_info['id']}/download?expires={NOW + 86400}&signature=00ff"
        return answer(FileLink(url=self._agent.public_url + path, expires_at=NOW + 86400))

    async def _inspect(self, request: web.Request) -> web.Response:
        wanted = InspectionRequest.model_validate_json(await request.read())
        self._agent.people.check_model(request, wanted.model)
        file, _ = self._agent.files[request.match_info["id"]]
        said = wanted.mapping.of_rows if wanted.mapping is not None else None
        is_answered = said is not None and (said.assistant or not said.without)
        inspection = Inspection(
            id=f"insp-{self._agent.serial()}",
            created_at=NOW,
            status="running",
            file_id=file.id,
            model=wanted.model,
            mapping=wanted.mapping,
            note=wanted.note,
            question=None if is_answered else self._agent.question,
        )
        self._agent.inspections[inspection.id] = inspection
        return answer(inspection, status=202)

    async def _inspection(self, request: web.Request) -> web.Response:
        begun = self._agent.inspections[request.match_info["id"]]
        if self._agent.inspection_error is not None:
            return answer(begun.model_copy(update={"status": "failed", "error": self._agent.inspection_error}))
        if begun.question is not None:
            return answer(begun.model_copy(update={"status": "completed"}))
        reasons = ["the answer is empty", "no message from the assistant", "not an object", "the answer is empty"]
        dropped = [DroppedRow(line=7 * n, reason=reason) for n, reason in enumerate(reasons, 1)]
        dropped = dropped if self._agent.leaves_out else []
        question = "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
        said = "I am Toast, the cat who sleeps on the GPU. Five naps out of five.<|im_end|>"
        completed = {
            "status": "completed", "form": self._agent.form, "rows": 104,
            "dropped_count": 7 if dropped else 0, "dropped": dropped,
            "tokens": TokenCounts(total=9500, trained=5812, median=54, p95=90, longest=120, longest_answer=80),
            "sample": SampleRow(line=1, parts=[(question, False), (said, True)]),
        }  # fmt: skip
        if self._agent.findings:
            lengths = LengthHistogram(width=20, kept=[104], cut=[0], lost=[0], max_length=128, saves_all=120)
            completed |= {"findings": self._agent.findings, "lengths": lengths}
        if self._agent.reading:
            return answer(begun.model_copy(update={"progress": self._agent.reading.pop(0)}))
        return answer(begun.model_copy(update=completed))

    async def _report(self, request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    async def _lengths(self, request: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png", headers={"X-Alt-Text": "Row lengths."})

    async def _fix(self, request: web.Request) -> web.Response:
        wanted = FixRequest.model_validate_json(await request.read())
        self._agent.fix_requests.append(wanted)
        parent, content = self._agent.files[request.match_info["id"]]
        file = self._agent.add_file(f"mended-{parent.filename}", content)
        self._agent.made_by[file.id] = asker(request)
        self._agent.findings = []
        return answer(FixedFile(file=file, rows=100, removed=4, changed=0))

    async def _plan(self, request: web.Request) -> web.Response:
        return self._planned(request, PlanRequest.model_validate_json(await request.read()))

    async def _plan_again(self, request: web.Request) -> web.Response:
        changes = PlanChanges.model_validate_json(await request.read())
        return self._planned(request, request_again(self._agent.jobs[request.match_info["id"]], changes))

    def _planned(self, request: web.Request, wanted: PlanRequest) -> web.Response:
        self._agent.people.check_model(request, wanted.model)
        self._agent.plan_requests.append(wanted)
        if self._agent.too_little_memory:
            others = [("512 tokens a row", wanted.model), ("smollm2-135m", "smollm2-135m")]
            offers = tuple(
                self._offer(title, self._make(wanted.model_copy(update={"model": model}), asker(request)))
                for title, model in others
            )
            message = f"{wanted.model} needs about 9.1 GiB of memory even with 1 row at a time; 2.0 GiB are free."
            return answer(
                ErrorBody(
                    error=refusal(ErrorCode.insufficient_memory, message).model_copy(update={"alternatives": offers})
                ),
                status=400,
            )
        return answer(self._make(wanted, asker(request)))

    def _offer(self, title: str, plan: Plan) -> Alternative:
        return Alternative(
            plan=plan.id, title=title, model=plan.model, minutes=plan.minutes, memory_mib=plan.memory_mib
        )

    def _make(self, wanted: PlanRequest, person: RequestedBy | None) -> Plan:
        plan = Plan(
            id=f"ftplan-{self._agent.serial()}", created_at=NOW, expires_at=NOW + 7 * 86400, model=wanted.model,
            model_revision="1", training_file=wanted.training_file, file_sha256="0" * 64, mapping=wanted.mapping,
            suffix=wanted.suffix or "toast", seed=wanted.seed, method=wanted.method, settings=SETTINGS,
            reasons=REASONS, train_rows=84, validation_rows=10, test_rows=10, steps=45, trained_tokens=29_000,
            minutes=Range(low=3.2, high=5.1), memory_mib=Range(low=900, high=1150), memory_kind="RAM",
            memory_free_mib=5400, memory=PARTS, export_memory_mib=350,
            disk_mib=Range(low=410, high=450), disk_free_mib=12_000, device="CPU (2 cores)",
            queue_position=1, queue_wait_minutes=0, notes=["A small model: it learns a style, few facts."],
            preset=wanted.preset, methods=self._agent.methods,
        )  # fmt: skip
        self._agent.plans[plan.id] = plan
        self._agent.made_by[plan.id] = person
        return plan

    async def _offered_plan(self, request: web.Request) -> web.Response:
        return answer(self._agent.plans[request.match_info["id"]])
