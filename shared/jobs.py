"""A job: its states and stages, the one table of allowed moves, and what is sent to make one."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters, Method, ResolvedSettings
from shared.mapping import Mapping
from shared.people import RequestedBy
from shared.plans import ModelName, Preset
from shared.results import JobResult
from shared.schema import Request, Response, SentenceError


class JobStatus(StrEnum):
    """OpenAI's names."""

    validating_files = "validating_files"  # stored; the dataset is being read
    queued = "queued"  # waits for its turn
    running = "running"  # has the GPU
    paused = "paused"  # gave it back; resumed, it waits for its turn and goes on
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"


MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.validating_files: frozenset({JobStatus.queued, JobStatus.failed, JobStatus.cancelled}),
    JobStatus.queued: frozenset({JobStatus.running, JobStatus.failed, JobStatus.cancelled}),
    JobStatus.running: frozenset({JobStatus.paused, JobStatus.succeeded, JobStatus.failed, JobStatus.cancelled}),
    JobStatus.paused: frozenset({JobStatus.queued, JobStatus.failed, JobStatus.cancelled}),
    JobStatus.succeeded: frozenset(),
    JobStatus.failed: frozenset(),
    JobStatus.cancelled: frozenset(),
}
FINISHED = frozenset(status for status, onward in MOVES.items() if not onward)
UNFINISHED = frozenset(MOVES) - FINISHED


class Stage(StrEnum):
    """What a running job is doing, in this order."""

    fetch = "fetch"  # the base model, onto this disk
    prepare = "prepare"  # rows to tokens, split
    load = "load"  # weights into memory
    train = "train"
    evaluate = "evaluate"  # held-out loss, answers of base and tuned model
    export = "export"  # adapter and GGUF
    verify = "verify"  # the GGUF in llama.cpp


class PauseReason(StrEnum):
    """Why a job is paused."""

    asked = "asked"  # somebody paused this job
    agent = "agent"  # the whole machine is paused
    disk = "disk"  # there was no room for a checkpoint
    gpu = "gpu"  # the GPU does not answer any more; the whole machine is paused with it


class TrainerHealth(StrEnum):
    """How a running job's trainer does, as its supervisor sees it."""

    well = "well"
    slow = "slow"  # alive, but its work has not moved for longer than usual
    stalled = "stalled"  # so long that it will be started again from its newest checkpoint
    silent = "silent"  # no sign of life: frozen, the machine is overloaded, or the next cannot be started yet


class JobError(Response):
    """Why a job failed."""

    code: ErrorCode
    message: str
    param: str | None = None


YEAR_2100 = 4_102_444_800  # seconds since 1970: what is later is no time that anybody means
START_WITHIN_S = 366 * 24 * 3600  # how far ahead a start may be asked for
MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


def _no_tracker(given: list[object]) -> list[object]:
    if given:
        raise SentenceError(
            "nothing is sent to Weights & Biases from here, since what trains has no network. Leave integrations out; "
            "the losses are in the job's events and in its plot"
        )
    return given


Integrations = Annotated[list[object], AfterValidator(_no_tracker), Field(json_schema_extra={"maxItems": 0})]


class JobRequest(Request):
    """The body of POST /v1/fine_tuning/jobs: OpenAI's, or `plan` in place of all that a plan settles."""

    plan: str | None = None  # ftplan-…
    model: str | None = None
    training_file: str | None = None
    validation_file: str | None = None  # what is held out; None: a part of the training rows
    mapping: Mapping | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None  # OpenAI's older spelling of those in `method`
    suffix: ModelName | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] | None = None
    integrations: Integrations | None = None  # OpenAI's trackers: none of them can be reached
    start_at: Annotated[int, Field(ge=0, lt=YEAR_2100)] | None = None  # not before; at most START_WITHIN_S ahead
    requested_by: RequestedBy | None = None


class JobAction(Request):
    """The body of POST …/cancel, …/pause and …/resume, of a job or of the agent; it may be left out."""

    requested_by: RequestedBy | None = None


class Steering(StrEnum):
    """What can be asked of a training that runs."""

    finish = "finish"  # stop here, and make a model of the best weights so far
    finish_epoch = "finish_epoch"  # the same, once the pass over the data that it is in has ended
    slow_down = "slow_down"  # half the learning rate
    checkpoint = "checkpoint"  # save now


class SteerRequest(JobAction):
    """The body of POST …/steer."""

    what: Steering


class Progress(Response):
    """The newest vitals of a running job. None: not known, never a made-up zero."""

    step: int
    total_steps: int
    epoch: float
    n_epochs: float
    loss: float | None = None  # the newest step's
    validation_loss: float | None = None  # the newest evaluation's
    validation_accuracy: float | None = None  # of it, the share of answers that are preferred as they should be
    best_loss: float | None = None
    tokens_per_s: float | None = None  # real tokens, padding not counted
    memory_mib: int | None = None
    temperature_c: int | None = None
    eta_s: int | None = None
    updated_at: int = 0


class Job(Response):
    """OpenAI's job object; ours are `number` and what follows it."""

    id: str  # ftjob-…
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    finished_at: int | None = None
    estimated_finish: int | None = None  # running or queued, where the plan gives minutes
    status: JobStatus
    model: str
    fine_tuned_model: str | None = None  # the Ollama name, once verified
    organization_id: str = "hearth"
    training_file: str
    validation_file: str | None = None
    result_files: list[str] = []
    trained_tokens: int | None = None
    seed: int
    method: Method
    hyperparameters: dict[str, str | int | float] = {}  # OpenAI's deprecated summary, resolved
    metadata: dict[str, str] | None = None
    integrations: list[str] = []  # OpenAI's trackers, of which there is none here
    error: JobError | None = None
    number: int  # what people say: #12
    suffix: str
    plan: str | None = None
    mapping: Mapping | None = None  # how its file is read
    stage: Stage | None = None
    queue_position: int | None = None  # 1 is next
    started_at: int | None = None  # when it first ran
    estimated_start: int | None = None  # seconds since 1970; of a queued job alone
    start_at: int | None = None  # as asked: it does not start before
    stage_detail: str | None = None  # what the stage is at, in a few words: "40 % of the model given to Ollama"
    worker: str | None = None  # where it runs, or ran last; None: it has not started
    attempt: int = 1  # of three; counts again from 1 after a newer checkpoint or a finished stage
    paused: PauseReason | None = None  # of a paused job alone
    pausing: bool = False  # asked to pause, and not out of memory yet
    health: TrainerHealth | None = None  # of a running job alone; None until its supervisor has it in hand
    proof_age_s: int | None = None  # since its trainer last proved that it lives; of a running job alone
    work_age_s: int | None = None  # since its work last moved; of a running job alone
    preset: Preset = Preset.balanced  # by which `auto` was resolved
    settings: ResolvedSettings | None = None
    requested_by: RequestedBy | None = None
    progress: Progress | None = None
    result: JobResult | None = None


ATTEMPTS = 3  # in a row, of a trainer that dies without a newer checkpoint or a finished stage
PROOF_S = 120  # "running" is said only with a proof of life younger than this


class JobList(Response):
    """Newest first; `after` the last id for the next page."""

    object: Literal["list"] = "list"
    data: list[Job]
    has_more: bool = False


class CheckpointMetrics(Response):
    """OpenAI's names; None where not measured at that step."""

    step: int
    train_loss: float | None = None
    valid_loss: float | None = None


class Checkpoint(Response):
    """A place a run can be resumed from."""

    id: str  # ftckpt-…
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuning_job_id: str
    fine_tuned_model_checkpoint: str  # name:ckpt-step-88
    step_number: int
    metrics: CheckpointMetrics


class CheckpointList(Response):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[Checkpoint]
    has_more: bool = False
