"""What was downloaded of OpenAI's fine-tuning: its job objects, and the dataset files beside them. Sends nothing.

The job objects are read here, as far as their keys matter; the datasets are not: the agent's limited child reads them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.errors import AgentError
from agent.machine.gpu import MIB
from agent.plan.resolve import model_name
from shared.errors import ErrorCode
from shared.hyperparameters import BODIES, Method
from shared.language import _
from shared.schema import Response

LIMIT = 4 * MIB  # bytes of a file of job objects
JOB, FILE = "fine_tuning.job", "file"  # what OpenAI's objects call themselves
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class OpenAIJob(Response):
    """A job as OpenAI tells it, in what a run here needs to know."""

    id: str
    model: str
    training_file: str
    validation_file: str | None = None
    method: dict[str, Any] | None = None
    hyperparameters: dict[str, Any] | None = None  # of before `method`
    seed: int | None = None
    fine_tuned_model: str | None = None  # ft:gpt-4o-mini:acme:suffix:id
    user_provided_suffix: str | None = None
    metadata: dict[str, str] | None = None
    integrations: list[dict[str, Any]] | None = None

    @property
    def suffix(self) -> str | None:
        """Return the name that its owner gave, as it may be called here; None: there was none."""
        parts = (self.fine_tuned_model or "").split(":")
        given = self.user_provided_suffix or (parts[3] if len(parts) > 3 else "")
        return given if NAME.fullmatch(given) else model_name(f"{given}.") if given else None


@dataclass(frozen=True, kw_only=True)
class ExportedRun:
    """A job, and what it needs to run once more."""

    job: OpenAIJob
    method: Method
    training: Path
    training_name: str
    validation: Path | None
    validation_name: str


def read_export(folder: Path, only: str | None = None) -> list[ExportedRun]:
    """Return the runs of a folder in the order of its files, of all jobs or of one. Raises AgentError."""
    if not folder.is_dir():
        raise _refusal(_("{folder} is no folder. Give the one with the job objects of OpenAI.", folder=folder))
    jobs: dict[str, OpenAIJob] = {}
    names: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        for found in _objects(path):
            if found.get("object") == JOB:
                job = _job(found, path)
                jobs[job.id] = job
            elif found.get("object") == FILE and isinstance(found.get("id"), str):
                names[found["id"]] = str(found.get("filename") or found["id"])
    if not jobs:
        raise _refusal(
            _(
                "There is no job of OpenAI's in {folder}. Save what fine_tuning.jobs.retrieve or list returns there, "
                "as JSON or JSONL.",
                folder=folder,
            )
        )
    if only is not None and only not in jobs:
        raise _refusal(_("There is no job {id} in {folder}. It has: {ids}.", id=only, folder=folder, ids=_few(jobs)))
    return [_run(job, folder, names) for job in jobs.values() if only in (None, job.id)]


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON or JSONL; a JSONL of no jobs is a dataset, and passed."""
    if path.suffix not in (".json", ".jsonl") or not path.is_file():
        return
    with path.open("rb") as file:
        content = file.read(LIMIT + 1)
    if path.suffix == ".jsonl" and f'"{JOB}"'.encode() not in content:
        return
    if len(content) > LIMIT:
        raise _refusal(
            _(
                "{file} is larger than {limit} MiB, too large for job objects. Split it, or take it out of the folder; "
                "datasets are named .jsonl.",
                file=path.name,
                limit=LIMIT // MIB,
            )
        )
    for value in _values(content, path):
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                continue
            listed = each.get("data") if each.get("object") == "list" else None
            yield from (it for it in (listed if isinstance(listed, list) else [each]) if isinstance(it, dict))


def _values(content: bytes, path: Path) -> list[Any]:
    try:
        text = content.decode("utf-8-sig")
        if path.suffix == ".json":
            return [json.loads(text)]
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise _refusal(
            _("{file} is broken: {reason}. Download it again, or take it out of the folder.",
              file=path.name, reason=error)
        ) from error  # fmt: skip


def _job(found: dict[str, Any], path: Path) -> OpenAIJob:
    try:
        return OpenAIJob.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise _refusal(
            _("A job in {file} is not as OpenAI writes it: {field}: {reason}. Download it again.",
              file=path.name, field=field, reason=first["msg"])
        ) from error  # fmt: skip


def _run(job: OpenAIJob, folder: Path, names: dict[str, str]) -> ExportedRun:
    training, training_name = _dataset(job, job.training_file, folder, names)
    held = job.validation_file
    validation, validation_name = _dataset(job, held, folder, names) if held else (None, "")
    return ExportedRun(
        job=job,
        method=_method(job),
        training=training,
        training_name=training_name,
        validation=validation,
        validation_name=validation_name,
    )


def _dataset(job: OpenAIJob, file_id: str, folder: Path, names: dict[str, str]) -> tuple[Path, str]:
    """Return where a dataset lies, by its id or by the name that OpenAI's file object says, and that name."""
    name = names.get(file_id)
    for path in sorted(folder.iterdir()):
        if path.is_file() and (path.name == name or file_id in (path.name, path.stem)):
            return path, name or path.name
    raise _refusal(
        _(
            "Job {id} needs the file {file}, which is not in {folder}. Save it there as {file}.jsonl: "
            'client.files.content("{file}").write_to_file("{file}.jsonl").',
            id=job.id,
            file=file_id,
            folder=folder,
        )
    )


def _method(job: OpenAIJob) -> Method:
    """Return the method here. Raises AgentError for one that there is not, and for a setting out of its limits."""
    given = job.method or {"type": "supervised"}
    way = given.get("type")
    if way not in BODIES:
        raise _refusal(
            _(
                "Job {id} has the method {method}, which is not one of those here: {methods}. Take it out of the "
                "folder, or choose another with --job.",
                id=job.id,
                method=way,
                methods=", ".join(BODIES),
            )
        )
    body = given.get(way)
    settings = (body.get("hyperparameters") if isinstance(body, dict) else None) or job.hyperparameters or {}
    try:
        asked = {name: value for name, value in dict(settings).items() if value is not None}
        return Method.model_validate({"type": way, way: {"hyperparameters": asked}})
    except (ValidationError, TypeError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error), "input": ""}
        steps = [str(step) for step in first["loc"]]
        name = steps[2] if len(steps) > 2 else "hyperparameters"
        raise _refusal(
            _("Job {id}: {name} is {value}, which does not go here: {reason}. Change it in the job's file.",
              id=job.id, name=name, value=str(first["input"])[:60], reason=first["msg"])
        ) from error  # fmt: skip


def _few(jobs: dict[str, OpenAIJob]) -> str:
    return ", ".join(list(jobs)[:5]) + (", …" if len(jobs) > 5 else "")


def _refusal(message: str) -> AgentError:
    return AgentError(message, code=ErrorCode.invalid_request)
