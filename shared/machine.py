"""The machine the agent runs on."""

from enum import StrEnum
from typing import Literal

from shared.schema import Response


class TaskKind(StrEnum):
    """What may be done for a finished job."""

    answer = "answer"  # its model answers a question


class TaskInfo(Response):
    """A task that runs now."""

    kind: TaskKind
    job_id: str
    job_number: int


class WorkerInfo(Response):
    """A place where jobs train, one at a time."""

    name: str  # "local" is the agent's own machine
    device: str
    memory_total_mib: int
    running_job: str | None = None
    task: TaskInfo | None = None  # what it does for a finished job, beside the running one or alone


class AgentInfo(Response):
    """The answer of GET /v1/agent."""

    object: Literal["agent"] = "agent"
    version: str
    started_at: int
    device: str  # "NVIDIA GeForce RTX 4090", "CPU (2 cores)"
    memory_kind: Literal["GPU", "RAM"]
    memory_free_mib: int
    memory_total_mib: int
    disk_free_mib: int
    file_size_limit: int  # bytes an upload may have
    running_job: str | None  # of the first worker that has one
    workers: list[WorkerInfo] = []
    queued_jobs: int
    feed_cursor: int  # of the newest event
    paused: bool = False  # nothing starts until it is resumed
    warnings: list[str] = []  # what the owner should see to, such as a disk that fills up


class Health(Response):
    """The answer of GET /healthz, which needs no key."""

    status: Literal["ok"] = "ok"
    version: str
