"""The machine the agent runs on."""

from typing import Literal

from shared.schema import Response


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
    running_job: str | None
    queued_jobs: int
    feed_cursor: int  # of the newest event
    paused: bool = False  # nothing starts until it is resumed
    warnings: list[str] = []  # what the owner should see to, such as a disk that fills up


class Health(Response):
    """The answer of GET /healthz, which needs no key."""

    status: Literal["ok"] = "ok"
    version: str
