"""A data folder as years of use leave it: finished jobs with their plans, events, files and folders."""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.data.findings import Findings
from agent.job_folder.checkpoint_files import COUNTS_FILE, MANIFEST, Counts
from agent.plan.resolve import make_plan
from agent.store import Store
from agent.store.store import DATABASE
from agent.store.tables import AgentRow, Base, EventRow, FileRow, IdempotencyRow, InspectionRow, JobRow, PlanRow
from shared.events import (
    ArtifactData,
    CheckpointData,
    EvaluationData,
    EventData,
    EventRecord,
    ProgressData,
    QueueData,
    StageData,
    StateData,
)
from shared.files import FileObject, FilePurpose
from shared.hyperparameters import Method
from shared.inspections import DatasetForm, Inspection, SampleRow, TokenCounts
from shared.jobs import JobStatus, Stage
from shared.plans import Plan, PlanRequest
from tests.agent.fake_inspector import CARD, MODEL
from tests.agent.running_agent import MACHINE
from tests.fakes.agent_server import RESULT

RESULT_FILES = ("toast.gguf", "toast-adapter.gguf", "toast-adapter.zip", "Modelfile", "report.json", "loss.png")
BLOCK = 10_000  # rows in one insert
NAMES = 50  # different model names
NOW = int(time.time())


def fill(data_dir: Path, *, finished: int, events: int, queued: int = 0, folders: bool = False) -> None:
    """Make a data folder with so many finished jobs, `events` of them altogether, and a paused machine."""
    data_dir.mkdir(parents=True)
    asyncio.run(_fill_store(data_dir, finished, events, queued))
    if folders:
        _make_folders(data_dir, finished)


def job_id(number: int) -> str:
    """Return the id of a job in a filled store; numbers begin with 1."""
    return f"ftjob-{number:024x}"


async def _fill_store(data_dir: Path, finished: int, events: int, queued: int) -> None:
    store = await Store.open(data_dir / DATABASE)
    try:
        await store.run(_insert_all, finished, events, queued)
    finally:
        await store.close()


def _insert_all(session: Session, finished: int, events: int, queued: int) -> None:
    plan, findings = _plan()
    numbers = range(1, finished + queued + 1)
    templates = [record.model_dump_json() for record in _story(events // finished)] if finished else []
    _insert(session, PlanRow, (_plan_row(number, plan) for number in numbers))
    _insert(session, JobRow, (_job_row(number, finished) for number in numbers))
    _insert(session, FileRow, (row for number in numbers for row in _file_rows(number, ended=number <= finished)))
    _insert(session, InspectionRow, (_inspection_row(number, findings) for number in numbers))
    _insert(session, IdempotencyRow, (
        {"key": f"plan:ftplan-{number:024x}", "body_sha256": "0" * 64, "job_id": job_id(number)} for number in numbers
    ))  # fmt: skip
    kinds = [EventRecord.model_validate_json(template).data.kind for template in templates]
    _insert(session, EventRow, (
        {"job_id": job_id(number), "sequence": sequence, "kind": kind, "record": record}
        for number in range(1, finished + 1)
        for sequence, (kind, record) in enumerate(zip(kinds, templates, strict=True), start=1)
    ))  # fmt: skip
    session.add(AgentRow(id=1, paused=True))


def _insert(session: Session, table: type[Base], rows: Iterator[dict[str, Any]]) -> None:
    while block := list(islice(rows, BLOCK)):
        session.execute(sa.insert(table.__table__), block)  # type: ignore[arg-type]  # a Table, by declaration


def _plan() -> tuple[Plan, Findings]:
    findings = Findings(
        form=DatasetForm.prompt_completion, rows=214, dropped_count=0, dropped=[], notes=[],
        tokens=TokenCounts(total=20_000, trained=12_000, median=90, p95=200, longest=400, longest_answer=200),
        sample=SampleRow(line=1, parts=[("Question? " * 20, False), ("Answer. " * 20, True)]),
        answer_starts=list(range(101)),
    )  # fmt: skip
    file = FileObject(
        id="file-0", bytes=1, created_at=NOW, filename="toast.jsonl", purpose=FilePurpose.fine_tune, sha256="0" * 64
    )
    plan = make_plan(
        PlanRequest(model=MODEL, training_file=file.id), plan_id="ftplan-0", file=file, findings=findings, card=CARD,
        machine=MACHINE, queue_position=1, queue_wait_minutes=0.0, now=NOW, measured=[],
    )  # fmt: skip
    return plan, findings


def _plan_row(number: int, plan: Plan) -> dict[str, Any]:
    name = f"ftplan-{number:024x}"
    made = plan.model_copy(update={"id": name, "training_file": f"file-{number:024x}"})
    return {
        "id": name, "created_at": NOW, "expires_at": NOW, "file_id": made.training_file,
        "form": DatasetForm.prompt_completion, "plan": made.model_dump_json(), "card": CARD.model_dump_json(),
    }  # fmt: skip


def _job_row(number: int, finished: int) -> dict[str, Any]:
    ended = number <= finished
    name = f"toast-{number % NAMES}:v{number // NAMES + 1}" if ended else None
    at = NOW - (finished - number) * 600
    return {
        "number": number, "id": job_id(number), "created_at": at, "started_at": at if ended else None,
        "finished_at": at + 500 if ended else None, "status": JobStatus.succeeded if ended else JobStatus.queued,
        "model": MODEL, "training_file": f"file-{number:024x}", "seed": 42, "method": Method().model_dump_json(),
        "plan_id": f"ftplan-{number:024x}", "ollama_name": name, "fine_tuned_model": name, "suffix": "toast",
        "queue_position": None if ended else number - finished, "trained_tokens": 29_000 if ended else None,
        "result": RESULT.model_copy(update={"ollama_name": name}).model_dump_json() if ended else None,
        "cancel_requested": False, "tail_offset": 0, "attempt": 1,
    }  # fmt: skip


def _file_rows(number: int, *, ended: bool) -> Iterator[dict[str, Any]]:
    common = {"created_at": NOW, "used_at": NOW, "bytes": 1000, "sha256": "0" * 64}
    name = f"file-{number:024x}"
    yield common | {
        "id": name,
        "filename": "toast.jsonl",
        "purpose": FilePurpose.fine_tune,
        "path": f"files/{name}",
        "job_id": None,
    }
    for position, result in enumerate(RESULT_FILES if ended else ()):
        yield common | {
            "id": f"{name}-{position}", "filename": result, "purpose": FilePurpose.fine_tune_results,
            "path": f"jobs/{job_id(number)}/export/{result}", "job_id": job_id(number),
        }  # fmt: skip


def _inspection_row(number: int, findings: Findings) -> dict[str, Any]:
    inspection = Inspection(
        id=f"insp-{number:024x}", created_at=NOW, status="completed", file_id=f"file-{number:024x}", model=MODEL
    )
    return {
        "id": inspection.id, "created_at": NOW, "file_id": inspection.file_id, "model": MODEL, "status": "completed",
        "inspection": inspection.model_dump_json(), "findings": findings.model_dump_json(),
        "card": CARD.model_dump_json(),
    }  # fmt: skip


def _story(length: int) -> list[EventRecord]:
    """Return the events of one job, in the mixture that a run leaves."""
    state = StateData(status=JobStatus.succeeded, result=RESULT)
    head: list[EventData] = [StateData(status=JobStatus.queued), QueueData(position=1, wait_s=0)]
    tail: list[EventData] = [StageData(stage=stage, done=True) for stage in Stage]
    tail += [ArtifactData(name=name, path=f"export/{name}", bytes=1000, sha256="0" * 64) for name in RESULT_FILES]
    middle = (_training(step) for step in range(max(0, length - len(head) - len(tail) - 1)))
    return [EventRecord(created_at=NOW, message="As it went.", data=data) for data in (*head, *middle, *tail, state)]


def _training(step: int) -> EventData:
    if step % 20 == 18:
        return EvaluationData(step=step, split="validation", loss=1.5, best_loss=1.43, best_step=step)
    if step % 20 == 19:
        return CheckpointData(step=step, train_loss=1.4, valid_loss=1.5, best=True)
    return ProgressData(
        step=step, total_steps=100, epoch=step / 20, n_epochs=5, loss=1.234567, learning_rate=1.9e-4, grad_norm=1.234,
        tokens_per_s=212.4, memory_mib=1130, eta_s=90, trained_tokens=640 * step,
    )  # fmt: skip


def _make_folders(data_dir: Path, finished: int) -> None:
    """Leave what retention and the start look at: datasets, and two checkpoints in each job's folder."""
    counts = Counts(best_loss=1.43, best_step=79, bad_evaluations=0, trained_tokens=29_000).model_dump_json()
    (data_dir / "files").mkdir()
    for number in range(1, finished + 1):
        (data_dir / "files" / f"file-{number:024x}").touch()
        for step in (79, 99):
            checkpoint = data_dir / "jobs" / job_id(number) / "checkpoints" / f"step-{step}"
            checkpoint.mkdir(parents=True)
            (checkpoint / COUNTS_FILE).write_text(counts)
            (checkpoint / MANIFEST).write_text("{}")
