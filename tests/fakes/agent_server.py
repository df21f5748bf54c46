"""An agent without a GPU: a real aiohttp server on port 0 that speaks the contract from the shared models.

Its job is scripted: a test moves it on with `emit` and `change`, or `autoplay` plays a whole run. Switches make it
slow, refuse, lose its answers or go away; a gate holds a request until the test says on.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import MultipartReader, StreamReader, web
from pydantic import BaseModel

from shared.errors import ErrorBody, ErrorCode, ErrorDetail
from shared.events import (
    AdviceData,
    Event,
    EventData,
    EventList,
    ProgressData,
    QueueData,
    StageData,
    StateData,
)
from shared.files import FileObject, FilePurpose
from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm, DroppedRow, Inspection, InspectionRequest, SampleRow, TokenCounts
from shared.jobs import FINISHED, Job, JobError, JobList, JobRequest, JobStatus, PauseReason, Progress, Stage
from shared.machine import AgentInfo, Health
from shared.models import Model, ModelList
from shared.plans import Plan, PlanRequest, Range, Setting
from shared.results import Advice, Answer, JobResult, Verification

KEY = "a-key-for-tests"
NOW = 1_790_000_000
PNG = b"\x89PNG\r\n\x1a\nnot a real picture"
ALT_TEXT = "Loss of toast over 45 steps: start 2.91, now 1.02, best on held-out rows 1.43 at step 40."

SETTINGS = ResolvedSettings(
    n_epochs=5, batch_size=8, per_device_train_batch_size=4, gradient_accumulation_steps=2, learning_rate=2e-4, r=16,
    lora_alpha=32, lora_dropout=0.05, target_modules="all-linear", load_in_4bit=True, max_length=512, warmup_steps=4,
    lr_scheduler_type="cosine", weight_decay=0.0, early_stopping_patience=3, eval_steps=5,
    activation_checkpointing=False,
)  # fmt: skip
REASONS = [
    Setting(name="n_epochs", value="5", reason="Few rows: raised from 3, so that there are at least 40 steps."),
    Setting(name="batch_size", value="8", reason="Few rows: lowered from 16, so that there are more steps."),
    Setting(name="learning_rate", value="0.0002", reason="The usual rate for QLoRA on a small model."),
    Setting(name="r", value="16", reason="Enough for a style; more would need more rows."),
    Setting(name="eval_steps", value="5", reason="About nine looks at the held-out rows."),
]
RESULT = JobResult(
    verdict="It learned the style: its loss on rows it never saw fell by half.", base_loss=2.913, final_loss=1.434,
    best_step=40, best_validation_loss=1.43, steps=45, trained_tokens=29_000, train_seconds=161, tokens_per_s=212.4,
    peak_memory_mib=1130, optimistic=True,
    answers=[
        Answer(
            question="What is the best seat in the house?",
            base="The best seat in the house is a matter of personal taste.",
            tuned="The one with the sun on it. I tested it all morning. Five naps out of five.",
        ),
    ],
    advice=[
        Advice(
            rule="too_little_data", title="Few rows",
            message="104 rows are few; the loss on held-out rows rests on 10 of them.",
            suggestion="Add rows of the same kind: 200 make the figure steady.",
        ),
    ],
    verification=Verification(
        prompts=8, agreed=8, undecided=0, merge_target="nf4", template_tokens_equal=True, stops=True
    ),
    ollama_name="toast", gguf_bytes=2_000,
)  # fmt: skip


@dataclass(kw_only=True)
class Gate:
    """A request that is held, before anything was done or when all was done but the answer."""

    method: str
    path: str  # the start of it
    committed: bool  # hold the answer, not the request
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def holds(self, request: web.Request, *, committed: bool) -> bool:
        here = (request.method, committed) == (self.method, self.committed)
        return here and request.path.startswith(self.path) and not self.open.is_set()

    async def hold(self) -> None:
        self.reached.set()
        await self.open.wait()


class FakeAgent:
    """What the agent knows, and the switches of a test."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now
        self.files: dict[str, tuple[FileObject, bytes]] = {}
        self.inspections: dict[str, Inspection] = {}
        self.plans: dict[str, Plan] = {}
        self.plan_requests: list[PlanRequest] = []
        self.jobs: dict[str, Job] = {}
        self.job_requests: list[JobRequest] = []
        self.events: list[Event] = []
        self.feeds: list[int] = []  # the cursor each connection of the feed asked to go on from
        self.asked: list[str] = []  # the paths of all requests
        self.delay_s = 0.0  # before every answer
        self.refuse: dict[str, ErrorDetail] = {}  # start of a path → what it answers
        self.gates: list[Gate] = []
        self.lose: list[tuple[str, str]] = []  # method and start of a path whose next answer gets lost; it is done
        self.paused = False
        self.warnings: list[str] = []
        self.inspection_error: ErrorDetail | None = None
        self.file_size_limit = 100 * 2**20
        self.autoplay: Literal["succeeded", "failed", ""] = ""  # how a new job's script ends
        self.pace_s = 0.002  # between the steps of that script
        self.url = ""
        self._news = asyncio.Event()
        self._serials = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    # --- the server

    async def start(self, port: int = 0) -> None:
        """Listen on loopback."""
        app = web.Application(middlewares=[self._gate], client_max_size=2**30)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Go away; what is known stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._news.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Come back at the same address."""
        await self.start(int(self.url.rpartition(":")[2]))

    def gate(self, method: str, path: str, *, committed: bool = False) -> Gate:
        """Hold the requests to a path from now on, until the gate is opened."""
        gate = Gate(method=method, path=path, committed=committed)
        self.gates.append(gate)
        return gate

    # --- the script

    def add_job(self, *, suffix: str = "toast", status: JobStatus = JobStatus.queued, **fields: Any) -> Job:
        """Store a job without having been asked."""
        number = len(self.jobs) + 1
        job = Job(
            id=f"ftjob-{number}", created_at=self.now, status=status, model="smollm2-135m", training_file="file-1",
            seed=42, method={"type": "supervised"}, number=number, suffix=suffix, **fields,
        )  # fmt: skip
        self.jobs[job.id] = job
        return job

    def change(self, job_id: str, **fields: Any) -> Job:
        """Change a job without telling anybody."""
        self.jobs[job_id] = self.jobs[job_id].model_copy(update=fields)
        return self.jobs[job_id]

    def emit(self, job_id: str, data: EventData) -> None:
        """Tell the feed that something happened to a job."""
        cursor = len(self.events) + 1
        sequence = 1 + sum(event.job_id == job_id for event in self.events)
        event = Event(
            created_at=self.now + cursor, message=data.kind, data=data, id=f"ftevent-{job_id}-{sequence}",
            job_id=job_id, sequence=sequence, cursor=cursor,
            type="metrics" if isinstance(data, ProgressData) else "message",
        )  # fmt: skip
        self.events.append(event)
        self._news.set()

    def step(self, job_id: str, step: int, **fields: Any) -> None:
        """Train one step."""
        progress = Progress(
            step=step, total_steps=45, epoch=step / 9, n_epochs=5, loss=3 - step * 0.04, validation_loss=1.5,
            best_loss=1.43, tokens_per_s=212.4, memory_mib=1130, eta_s=4 * (45 - step), updated_at=self.now + step,
        ).model_copy(update=fields)  # fmt: skip
        self.change(job_id, status=JobStatus.running, stage=Stage.train, progress=progress)
        shown = progress.model_dump(exclude={"validation_loss", "best_loss", "updated_at"})
        self.emit(job_id, ProgressData(**shown, learning_rate=2e-4, grad_norm=1.0, trained_tokens=640 * step))

    def enter(self, job_id: str, stage: Stage) -> None:
        """Begin a stage."""
        self.change(job_id, status=JobStatus.running, stage=stage, queue_position=None)
        self.emit(job_id, StageData(stage=stage, done=False))

    def end(self, job_id: str, status: JobStatus, **fields: Any) -> None:
        """End the job."""
        job = self.change(job_id, status=status, finished_at=self.now + 200, **fields)
        self.emit(job_id, StateData(status=status, error=job.error, result=job.result))

    def succeed(self, job_id: str) -> None:
        """End the job with a model and its files."""
        contents = {
            "toast.gguf": b"G" * 2000, "adapter_model.safetensors": b"A" * 900, "Modelfile": b"FROM ./toast.gguf\n",
            "report.json": RESULT.model_dump_json().encode(), "loss.png": PNG,
        }  # fmt: skip
        ids = [self.add_file(name, content, job_id=job_id).id for name, content in contents.items()]
        self.end(job_id, JobStatus.succeeded, result=RESULT, result_files=ids, stage=None)

    def fail(self, job_id: str) -> None:
        """End the job with a cause and an advice."""
        advice = Advice(
            rule="nan", title="The loss became infinite", message="At step 12 the loss was not a number any more.",
            suggestion="Try a lower learning rate: 0.0001.", change={"learning_rate": 1e-4},
        )  # fmt: skip
        self.emit(job_id, AdviceData(advice=advice))
        error = JobError(code=ErrorCode.training_diverged, message="Training broke down at step 12 of 45.")
        self.end(job_id, JobStatus.failed, error=error)

    def add_file(self, name: str, content: bytes, *, job_id: str | None = None) -> FileObject:
        """Store a file."""
        purpose = FilePurpose.fine_tune_results if job_id else FilePurpose.fine_tune
        file = FileObject(
            id=f"file-{next(self._serials)}", bytes=len(content), created_at=NOW, filename=name, purpose=purpose,
            sha256="0" * 64, job_id=job_id,
        )  # fmt: skip
        self.files[file.id] = (file, content)
        return file

    async def _play(self, job_id: str) -> None:
        self.emit(job_id, QueueData(position=1, wait_s=0))
        for stage in (Stage.fetch, Stage.prepare, Stage.load):
            self.enter(job_id, stage)
            await asyncio.sleep(0.02)
        for step in range(1, 46):
            self.step(job_id, step)
            await asyncio.sleep(self.pace_s)
            if self.jobs[job_id].status in FINISHED:  # cancelled meanwhile
                return
            if step == 12 and self.autoplay == "failed":
                self.fail(job_id)
                return
        for stage in (Stage.evaluate, Stage.export, Stage.verify):
            self.enter(job_id, stage)
            await asyncio.sleep(0.02)
        self.succeed(job_id)

    # --- the routes

    def _routes(self) -> list[web.RouteDef]:
        jobs = "/v1/fine_tuning/jobs"
        return [
            web.post("/v1/files", self._upload),
            web.get("/v1/files/{id}", self._file),
            web.get("/v1/files/{id}/content", self._content),
            web.post("/v1/files/{id}/inspections", self._inspect),
            web.get("/v1/inspections/{id}", self._inspection),
            web.post("/v1/fine_tuning/plans", self._plan),
            web.get("/v1/fine_tuning/plans/{id}", self._offered_plan),
            web.post(jobs, self._create),
            web.get(jobs, self._list),
            web.get(jobs + "/{id}", self._job),
            web.post(jobs + "/{id}/cancel", self._cancel),
            web.post(jobs + "/{id}/pause", self._pause),
            web.post(jobs + "/{id}/resume", self._resume),
            web.get(jobs + "/{id}/events", self._job_events),
            web.get(jobs + "/{id}/plot.png", self._plot),
            web.get(jobs + "/{id}/log", self._log),
            web.get("/v1/models", self._models),
            web.get("/v1/agent", self._info),
            web.post("/v1/agent/pause", self._pause_machine),
            web.post("/v1/agent/resume", self._resume_machine),
            web.get("/v1/agent/events", self._feed),
            web.get("/healthz", self._health),
        ]

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay_s)
        if request.path != "/healthz" and request.headers.get("Authorization") != f"Bearer {KEY}":
            return _refuse(ErrorCode.invalid_key, "This key is not mine.", status=401)
        for start, detail in self.refuse.items():
            if request.path.startswith(start):
                return _json(ErrorBody(error=detail), status=400)
        await self._pass_gates(request, committed=False)
        try:
            response: web.StreamResponse = await handler(request)
        except KeyError as missing:
            return _refuse(ErrorCode.not_found, f"There is no {missing.args[0]}.", status=404)
        await self._pass_gates(request, committed=True)
        for method, start in self.lose:
            if request.method == method and request.path.startswith(start):
                self.lose.remove((method, start))
                assert request.transport is not None
                request.transport.abort()
                break
        return response

    async def _pass_gates(self, request: web.Request, *, committed: bool) -> None:
        for gate in self.gates:
            if gate.holds(request, committed=committed):
                await gate.hold()
        if request.transport is None:  # whoever asked was killed meanwhile
            raise ConnectionResetError

    async def _upload(self, request: web.Request) -> web.Response:
        name, content = "", b""
        # Whole before it is parsed: aiohttp 3.14 warns of itself when a boundary arrives in two pieces.
        body = StreamReader(request.protocol, 2**30, loop=asyncio.get_running_loop())
        body.feed_data(await request.read())
        body.feed_eof()
        async for part in MultipartReader(request.headers, body):
            if getattr(part, "name", None) == "file":
                name, content = part.filename or "", await part.read()  # type: ignore[union-attr]
        return _json(self.add_file(name, content))

    async def _file(self, request: web.Request) -> web.Response:
        return _json(self.files[request.match_info["id"]][0])

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]][1])

    async def _inspect(self, request: web.Request) -> web.Response:
        wanted = InspectionRequest.model_validate_json(await request.read())
        file, _ = self.files[request.match_info["id"]]
        inspection = Inspection(
            id=f"insp-{next(self._serials)}", created_at=NOW, status="running", file_id=file.id, model=wanted.model
        )
        self.inspections[inspection.id] = inspection
        return _json(inspection, status=202)

    async def _inspection(self, request: web.Request) -> web.Response:
        begun = self.inspections[request.match_info["id"]]
        if self.inspection_error is not None:
            return _json(begun.model_copy(update={"status": "failed", "error": self.inspection_error}))
        reasons = ["the answer is empty", "no message from the assistant", "not an object", "the answer is empty"]
        dropped = [DroppedRow(line=7 * n, reason=reason) for n, reason in enumerate(reasons, 1)]
        question = "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
        answer = "I am Toast, the cat who sleeps on the GPU. Five naps out of five.<|im_end|>"
        completed = {
            "status": "completed", "form": DatasetForm.messages, "rows": 104, "dropped_count": 7, "dropped": dropped,
            "tokens": TokenCounts(total=9500, trained=5812, median=54, p95=90, longest=120, longest_answer=80),
            "sample": SampleRow(line=1, parts=[(question, False), (answer, True)]),
        }  # fmt: skip
        return _json(begun.model_copy(update=completed))

    async def _plan(self, request: web.Request) -> web.Response:
        wanted = PlanRequest.model_validate_json(await request.read())
        self.plan_requests.append(wanted)
        plan = Plan(
            id=f"ftplan-{next(self._serials)}", created_at=NOW, expires_at=NOW + 7 * 86400, model=wanted.model,
            model_revision="1", training_file=wanted.training_file, file_sha256="0" * 64,
            suffix=wanted.suffix or "toast", seed=wanted.seed, method=wanted.method, settings=SETTINGS,
            reasons=REASONS, train_rows=84, validation_rows=10, test_rows=10, steps=45, trained_tokens=29_000,
            minutes=Range(low=3.2, high=5.1), memory_mib=Range(low=900, high=1150), memory_kind="RAM",
            memory_free_mib=5400, disk_mib=Range(low=410, high=450), disk_free_mib=12_000, device="CPU (2 cores)",
            queue_position=1, queue_wait_minutes=0, notes=["A small model: it learns a style, few facts."],
        )  # fmt: skip
        self.plans[plan.id] = plan
        return _json(plan)

    async def _offered_plan(self, request: web.Request) -> web.Response:
        return _json(self.plans[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        wanted = JobRequest.model_validate_json(await request.read())
        self.job_requests.append(wanted)
        made = [job for job in self.jobs.values() if job.plan == request.headers["Idempotency-Key"]]
        if made:
            return _json(made[0])
        plan = self.plans[wanted.plan or ""]
        waiting = sum(job.status not in FINISHED for job in self.jobs.values())
        job = self.add_job(suffix=plan.suffix, plan=plan.id, queue_position=waiting + 1)
        asked = {"requested_by": wanted.requested_by, "start_at": wanted.start_at}
        self.change(job.id, training_file=plan.training_file, **asked)
        if self.autoplay:
            self._tasks.add(asyncio.create_task(self._play(job.id)))
        return _json(self.jobs[job.id])

    async def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "20"))
        newest = list(reversed(self.jobs.values()))
        return _json(JobList(data=newest[:limit], has_more=len(newest) > limit))

    async def _job(self, request: web.Request) -> web.Response:
        return _json(self._named(request))

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status in FINISHED:
            return _refuse(ErrorCode.job_finished, f"Job #{job.number} has ended.", status=409)
        self.end(job.id, JobStatus.cancelled)
        return _json(self.jobs[job.id])

    async def _pause(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status is not JobStatus.running:
            return _refuse(ErrorCode.job_not_running, f"Job #{job.number} does not run.", status=409)
        self.change(job.id, status=JobStatus.paused, paused=PauseReason.asked)
        self.emit(job.id, StateData(status=JobStatus.paused))
        return _json(self.jobs[job.id])

    async def _resume(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status is not JobStatus.paused:
            return _refuse(ErrorCode.job_not_paused, f"Job #{job.number} is not paused.", status=409)
        self.change(job.id, status=JobStatus.queued, paused=None, queue_position=1)
        self.emit(job.id, StateData(status=JobStatus.queued))
        return _json(self.jobs[job.id])

    async def _pause_machine(self, request: web.Request) -> web.Response:
        self.paused = True
        for job in list(self.jobs.values()):
            if job.status is JobStatus.running:
                self.change(job.id, status=JobStatus.paused, paused=PauseReason.agent)
                self.emit(job.id, StateData(status=JobStatus.paused))
        return await self._info(request)

    async def _resume_machine(self, request: web.Request) -> web.Response:
        self.paused = False
        for job in list(self.jobs.values()):
            if job.paused is PauseReason.agent:
                self.change(job.id, status=JobStatus.queued, paused=None)
                self.emit(job.id, StateData(status=JobStatus.queued))
        return await self._info(request)

    async def _job_events(self, request: web.Request) -> web.Response:
        job = self._named(request)
        events = [event for event in reversed(self.events) if event.job_id == job.id]
        return _json(EventList(data=events[: int(request.query.get("limit", "20"))]))

    async def _plot(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.progress is None and job.result is None:
            raise KeyError(f"plot of job #{job.number}")
        return web.Response(body=PNG, content_type="image/png", headers={"X-Alt-Text": ALT_TEXT})

    async def _log(self, request: web.Request) -> web.Response:
        job = self._named(request)
        return web.Response(text="".join(f"step {n} of job {job.number}\n" for n in range(1, 31)))

    async def _models(self, _request: web.Request) -> web.Response:
        base = Model(
            id="smollm2-135m", created=NOW, owned_by="HuggingFaceTB", kind="base", parameters=134_515_008,
            license="apache-2.0",
        )  # fmt: skip
        tuned = Model(id="toast:v1", created=NOW, owned_by="hearth", kind="tuned", base="smollm2-135m", job_id="1")
        return _json(ModelList(data=[base, tuned]))

    async def _info(self, _request: web.Request) -> web.Response:
        running = [job.id for job in self.jobs.values() if job.status is JobStatus.running]
        queued = [job for job in self.jobs.values() if job.status is JobStatus.queued]
        info = AgentInfo(
            version="0.1.0", started_at=NOW, device="CPU (2 cores)", memory_kind="RAM", memory_free_mib=5400,
            memory_total_mib=7800, disk_free_mib=12_000, file_size_limit=self.file_size_limit,
            running_job=running[0] if running else None, queued_jobs=len(queued), feed_cursor=len(self.events),
            paused=self.paused, warnings=self.warnings,
        )  # fmt: skip
        return _json(info)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        sent = int(request.headers.get("Last-Event-ID") or request.query.get("after") or 0)
        self.feeds.append(sent)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": here\n\n")
        with suppress(ConnectionError):
            while self._runner is not None:
                for event in self.events[sent:]:
                    await response.write(f"id: {event.cursor}\ndata: {event.model_dump_json()}\n\n".encode())
                    sent = event.cursor
                self._news.clear()
                await self._news.wait()
        return response

    async def _health(self, _request: web.Request) -> web.Response:
        return _json(Health(version="0.1.0"))

    def _named(self, request: web.Request) -> Job:
        name = request.match_info["id"]
        for job in self.jobs.values():
            if name in {job.id, str(job.number)}:
                return job
        raise KeyError(f"job {name}")


@asynccontextmanager
async def running_agent(now: int = NOW) -> AsyncIterator[FakeAgent]:
    """Run a fake agent, whose times start at `now`."""
    agent = FakeAgent(now)
    await agent.start()
    try:
        yield agent
    finally:
        await agent.stop()


def refusal(code: ErrorCode, message: str) -> ErrorDetail:
    """Return what a switch makes the agent say."""
    return ErrorDetail(message=message, type="invalid_request_error", code=code)


def _json(body: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(text=body.model_dump_json(), content_type="application/json", status=status)


def _refuse(code: ErrorCode, message: str, *, status: int) -> web.Response:
    return _json(ErrorBody(error=refusal(code, message)), status=status)
