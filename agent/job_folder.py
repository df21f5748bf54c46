"""The folder in which the agent and a job's trainer meet, and nothing else: paths, spec, heartbeat, events."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.events import ArtifactData, EventRecord, StateData
from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm
from shared.jobs import FINISHED, Stage
from shared.mapping import Mapping
from shared.schema import Response

ADAPTER_FILE = "adapter_model.safetensors"  # peft's name


class JobSpec(Response):
    """What to do, resolved; written once as spec.json before the trainer starts."""

    job_id: str
    number: int
    name: str  # the Ollama name without its tag
    ollama_name: str  # with it: toast:v1
    base_model: str  # the name a person used
    base_model_cache: str  # the folder of the fetched model's card
    models_dir: str | None = None  # HEARTH_MODELS_DIR, where local base models lie
    ollama_models: str | None = None  # OLLAMA_MODELS, where those of the local Ollama lie
    base_model_revision: str
    dataset_path: str
    dataset_sha256: str
    form: DatasetForm
    mapping: Mapping | None = None  # how its rows are read, as a person said
    settings: ResolvedSettings
    seed: int
    total_steps: int
    threads: int  # CPU threads of the trainer
    device: str  # "cuda" or "cpu"
    checkpoint_interval_s: float = 600.0
    progress_every_s: float = 0.5  # at most one progress event in this time
    ollama_url: str | None = None  # where the finished model is created, if Ollama answers there; None: nowhere
    ollama_open: bool = False  # also in an Ollama that others on the network can reach


class Phase(StrEnum):
    """What one child of a job does; they follow each other."""

    fetch = "fetch"  # the base model, with the network and the hub's token
    train = "train"  # all stages after it, with neither
    hand_over = "hand_over"  # the verified model to Ollama, and the job's last event


class Heartbeat(Response):
    """Two proofs of life: a thread's, and the work's own."""

    phase: Phase | None = None  # None: of an older trainer
    stage: Stage | None
    step: int
    pid: int
    alive_at: float  # a thread wrote this: the process lives
    progress_at: float  # a step or stage wrote this: the work moves


@dataclass(frozen=True, kw_only=True)
class JobFolder:
    """The paths of one job. Both sides use these names and no others."""

    path: Path

    @property
    def spec(self) -> Path:
        """What to do; written once."""
        return self.path / "spec.json"

    @property
    def lock(self) -> Path:
        """Held by the trainer as long as it lives."""
        return self.path / "lock"

    @property
    def events(self) -> Path:
        """What happened, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def heartbeat(self) -> Path:
        """The newest proof of life."""
        return self.path / "heartbeat.json"

    @property
    def log(self) -> Path:
        """What the trainer printed: its end, see `shared.log_file`."""
        return self.path / "trainer.log"

    @property
    def cancel_request(self) -> Path:
        """Its presence asks the trainer to end."""
        return self.path / "control" / "cancel"

    @property
    def pause_request(self) -> Path:
        """Its presence asks the trainer to leave the memory and go on later."""
        return self.path / "control" / "pause"

    @property
    def checkpoints(self) -> Path:
        """step-N/ for each complete checkpoint."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The trained LoRA weights."""
        return self.path / "adapter"

    @property
    def export(self) -> Path:
        """The GGUF and what goes with it."""
        return self.path / "export"

    @property
    def report(self) -> Path:
        """Evaluation, plot, closing report."""
        return self.path / "report"

    def stage_marker(self, stage: Stage) -> Path:
        """Return the file whose presence says that the stage is complete."""
        return self.path / "stages" / f"{stage.value}.done"

    def phase(self) -> Phase:
        """Return what is to be done next."""
        if not self.is_fetched():
            return Phase.fetch
        return Phase.hand_over if self.stage_marker(Stage.verify).exists() else Phase.train

    def is_fetched(self) -> bool:
        """Say whether the base model is on this machine, so that nothing of the job needs the network any more."""
        return self.stage_marker(Stage.fetch).exists()

    def finished_stages(self) -> int:
        """Count the stages that are complete."""
        return sum(self.stage_marker(stage).exists() for stage in Stage)

    def artifact(self, path: Path) -> ArtifactData:
        """Describe a result file of this folder that is complete on disk."""
        relative = path.relative_to(self.path).as_posix()
        return ArtifactData(name=path.name, path=relative, bytes=path.stat().st_size, sha256=file_sha256(path))

    def create(self, spec: JobSpec) -> None:
        """Make the folder with its spec. Killed half way, it is done again."""
        for folder in ("control", "stages", "checkpoints", "adapter", "export", "report"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        replace_file(self.spec, spec.model_dump_json(indent=2).encode())

    def read_spec(self) -> JobSpec:
        """Read spec.json."""
        return JobSpec.model_validate_json(self.spec.read_bytes())

    def read_heartbeat(self) -> Heartbeat | None:
        """Read the newest heartbeat; None before the first, and for one that a full disk has spoilt."""
        try:
            return Heartbeat.model_validate_json(self.heartbeat.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` so that a reader, or a power cut, finds the old file or the new one, never half of it."""
    descriptor, staged = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(staged).replace(path)
    except BaseException:
        Path(staged).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a rename in `path` survive a power cut, where the system can do that."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file that this project wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_events(path: Path, offset: int) -> tuple[list[EventRecord], int]:
    """Read the complete lines of events.jsonl from byte `offset` on; return them and the next offset.

    A last line without its newline is still being written and is left for the next call.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read()
    except FileNotFoundError:
        return [], offset
    complete = block[: block.rfind(b"\n") + 1]
    records = [EventRecord.model_validate_json(line) for line in complete.splitlines() if line.strip()]
    return records, offset + len(complete)


def has_ended(path: Path) -> bool:
    """Say whether events.jsonl holds the word that ends a job."""
    records, _ = read_events(path, 0)
    return any(isinstance(record.data, StateData) and record.data.status in FINISHED for record in records)


def cut_torn_line(path: Path) -> None:
    """Remove a last line that a killed trainer did not finish; nobody has read it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
