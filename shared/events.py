"""What happens to a job, one event at a time: OpenAI's event object, `data` discriminated by kind."""

from typing import Annotated, Literal

from pydantic import Field

from shared.jobs import JobError, JobStatus, Stage
from shared.results import Advice, Answer, JobResult
from shared.schema import Response


class StateData(Response):
    """The job moved. A trainer's last event is one of these, with a finished status."""

    kind: Literal["state"] = "state"
    status: JobStatus
    error: JobError | None = None
    result: JobResult | None = None


class StageData(Response):
    """A running job began or finished a stage, or is at some point of it."""

    kind: Literal["stage"] = "stage"
    stage: Stage
    done: bool
    detail: str | None = None  # where within the stage, in a few words
    starts_over: bool = False  # nothing of the steps before counts any more


class ProgressData(Response):
    """One optimizer step. Loss: nats per trained token, over the step's rows."""

    kind: Literal["progress"] = "progress"
    step: int
    total_steps: int
    epoch: float
    n_epochs: float
    loss: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens_per_s: float | None
    memory_mib: int | None
    temperature_c: int | None = None
    eta_s: int | None
    trained_tokens: int


class EvaluationData(Response):
    """The loss on held-out rows."""

    kind: Literal["evaluation"] = "evaluation"
    step: int
    split: Literal["validation", "test"]
    loss: float | None
    best_loss: float | None
    best_step: int | None
    accuracy: float | None = None  # share of held-out pairs, or labelled answers, that the model moved the right way on
    margin: float | None = None  # by how much, on average: the reward of the better answer less that of the worse


class SampleData(Response):
    """One question answered before and after."""

    kind: Literal["sample"] = "sample"
    answer: Answer


class AdviceData(Response):
    """A diagnosis rule fired."""

    kind: Literal["advice"] = "advice"
    advice: Advice


class CheckpointData(Response):
    """A checkpoint is complete on disk."""

    kind: Literal["checkpoint"] = "checkpoint"
    step: int
    train_loss: float | None
    valid_loss: float | None
    best: bool


class ArtifactData(Response):
    """A result file is complete in the job folder."""

    kind: Literal["artifact"] = "artifact"
    name: str  # what a person sees: toast.gguf
    path: str  # relative to the job folder
    bytes: int
    sha256: str


class QueueData(Response):
    """The job's place in the queue changed."""

    kind: Literal["queue"] = "queue"
    position: int  # 1 is next
    wait_s: int | None


EventData = Annotated[
    StateData
    | StageData
    | ProgressData
    | EvaluationData
    | SampleData
    | AdviceData
    | CheckpointData
    | ArtifactData
    | QueueData,
    Field(discriminator="kind"),
]


class EventRecord(Response):
    """An event before it has an id: what the trainer writes, one JSON object a line."""

    created_at: float  # seconds since 1970
    level: Literal["info", "warn", "error"] = "info"
    message: str
    type: Literal["message", "metrics"] = "message"
    data: EventData


class Event(EventRecord):
    """An event as clients see it."""

    id: str  # ftevent-<job>-<sequence>
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    job_id: str
    sequence: int  # 1, 2, … within the job
    cursor: int  # 1, 2, … over the whole agent: the SSE id of the agent's feed


class EventList(Response):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[Event]
    has_more: bool = False
