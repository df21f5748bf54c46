"""What the fake agent knows, and the script of its jobs: a test moves them on, or `autoplay` plays a whole run."""

import asyncio
import hashlib
import itertools
from typing import Any, Literal

from shared.errors import ErrorCode
from shared.events import AdviceData, Event, EventData, ProgressData, QueueData, StageData, StateData
from shared.files import FileObject, FilePurpose
from shared.inspections import Inspection
from shared.jobs import FINISHED, Job, JobError, JobStatus, PauseReason, Progress, Stage
from shared.machine import TaskInfo
from shared.people import RequestedBy
from shared.plans import Plan
from shared.results import Advice
from tests.fakes.agent_server.facts import NOW, PNG, RESULT


class World:
    """Files, plans, jobs and events."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now
        self.files: dict[str, tuple[FileObject, bytes]] = {}
        self.inspections: dict[str, Inspection] = {}
        self.plans: dict[str, Plan] = {}
        self.jobs: dict[str, Job] = {}
        self.unused: set[str] = set()  # ids of the datasets that nobody used for long
        self.made_by: dict[str, RequestedBy | None] = {}  # files and plans, by id
        self.events: list[Event] = []
        self.autoplay: Literal["succeeded", "failed", ""] = ""  # how a new job's script ends
        self.pace_s = 0.002  # between the steps of that script
        self.plot = PNG
        self.log_lines = 30
        self.plotted: list[str] = []  # in which theme
        self.themes = True  # it knows any: an agent of before they were does not
        self.shared: list[int] = []  # of which answers pictures were drawn
        self.task: TaskInfo | None = None  # what the machine does for a finished job
        self._news = asyncio.Event()
        self._serials = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def serial(self) -> int:
        return next(self._serials)

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

    def move(self, platform: str, chat: str, to: str) -> None:
        """Have what was asked for in a chat be of what it has become."""

        def now(who: RequestedBy | None) -> RequestedBy | None:
            here = who is not None and (who.platform, who.chat) == (platform, chat)
            return who.model_copy(update={"chat": to}) if who is not None and here else who

        self.made_by = {key: now(who) for key, who in self.made_by.items()}
        for job in list(self.jobs.values()):
            self.change(job.id, requested_by=now(job.requested_by))

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

    def succeed(self, job_id: str, *, gguf: bytes = b"G" * 2000) -> None:
        """End the job with a model and its files."""
        contents = {
            "toast.gguf": gguf, "adapter_model.safetensors": b"A" * 900, "Modelfile": b"FROM ./toast.gguf\n",
            "report.json": RESULT.model_dump_json().encode(), "loss.png": PNG,
        }  # fmt: skip
        ids = [self.add_file(name, content, job_id=job_id).id for name, content in contents.items()]
        self.end(job_id, JobStatus.succeeded, result=RESULT, result_files=ids, stage=None, fine_tuned_model="toast:v1")

    def fail(self, job_id: str) -> None:
        """End the job with a cause and an advice."""
        advice = Advice(
            rule="nan", title="The loss became infinite", message="At step 12 the loss was not a number any more.",
            suggestion="Try a lower learning rate: 0.0001.", change={"learning_rate": 1e-4},
        )  # fmt: skip
        self.emit(job_id, AdviceData(advice=advice))
        error = JobError(code=ErrorCode.training_diverged, message="Training broke down at step 12 of 45.")
        self.end(job_id, JobStatus.failed, error=error)

    def run_out_of_memory(self, job_id: str) -> None:
        """End the job as an agent does whose trainer could not get the memory it needs."""
        advice = Advice(
            rule="out-of-memory", title="Too little memory", message="4 rows of up to 512 tokens were too much.",
            suggestion="Take 2 rows at a time instead of 4.", change={"per_device_train_batch_size": 2},
        )  # fmt: skip
        self.emit(job_id, AdviceData(advice=advice))
        message = "The memory of the GPU machine was not enough for this job."
        self.end(job_id, JobStatus.failed, error=JobError(code=ErrorCode.insufficient_memory, message=message))

    def fill_disk(self, job_id: str) -> None:
        """Pause the job as an agent does whose disk is full."""
        self.change(job_id, status=JobStatus.paused, paused=PauseReason.disk)
        self.emit(job_id, StateData(status=JobStatus.paused))

    def lose_gpu(self, job_id: str) -> None:
        """Pause the job and the machine as an agent does whose GPU does not answer any more."""
        self.paused = True
        self.change(job_id, status=JobStatus.paused, paused=PauseReason.gpu)
        self.emit(job_id, StateData(status=JobStatus.paused))

    def add_file(self, name: str, content: bytes, *, job_id: str | None = None) -> FileObject:
        """Store a file."""
        purpose = FilePurpose.fine_tune_results if job_id else FilePurpose.fine_tune
        file = FileObject(
            id=f"file-{self.serial()}", bytes=len(content), created_at=NOW, filename=name, purpose=purpose,
            sha256=hashlib.sha256(content).hexdigest(), job_id=job_id,
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
        await self.may_end()
        for stage in (Stage.evaluate, Stage.export, Stage.verify):
            self.enter(job_id, stage)
            await asyncio.sleep(0.02)
        self.succeed(job_id)

    async def may_end(self) -> None:
        """Return when a job that has been trained may go on to its end: at once."""

    def play(self, job_id: str) -> None:
        """Play a job's whole script by itself."""
        self._tasks.add(asyncio.create_task(self._play(job_id)))
