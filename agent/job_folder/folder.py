"""The folder in which the agent and a job's trainer meet: every path in it, the phase it is in, the proof of life."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from agent.job_folder.durable import file_sha256, replace_file
from agent.job_folder.spec import JobSpec
from shared.events import ArtifactData
from shared.jobs import Stage
from shared.schema import Response

ADAPTER_FILE = "adapter_model.safetensors"  # peft's name


class Phase(StrEnum):
    """What one child of a job does; they follow each other."""

    fetch = "fetch"  # the base model, with the network and the hub's token
    train = "train"  # all stages after it, with neither
    hand_over = "hand_over"  # the verified model to Ollama, and the job's last event


class Heartbeat(Response):
    """Two proofs of life: a thread's, and the work's own."""

    phase: Phase | None = None  # None: of an older trainer
    code: str | None = None  # the version of what it runs; None: of an older trainer
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
        """What to do: as planned, or as the job has adapted itself last."""
        revisions = [path for path in self.path.glob("spec-*.json") if path.stem.removeprefix("spec-").isdecimal()]
        newest = max(revisions, key=lambda path: int(path.stem.removeprefix("spec-")), default=None)
        return newest or self.path / "spec.json"

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
    def finish_request(self) -> Path:
        """Asks the training for an early end, and the job for a model of it; holds `now` or `epoch`."""
        return self.path / "control" / "finish"

    @property
    def rate_request(self) -> Path:
        """Asks the training for another learning rate; holds it."""
        return self.path / "control" / "learning_rate"

    @property
    def checkpoint_request(self) -> Path:
        """Its presence asks the training to save."""
        return self.path / "control" / "checkpoint"

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
        """Make the folder with its spec. May be repeated after a kill half way."""
        for folder in ("control", "stages", "checkpoints", "adapter", "export", "report"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        self.write_spec(spec)

    def write_spec(self, spec: JobSpec) -> None:
        """Write a spec into the file of its revision; those before stay as they are."""
        name = f"spec-{spec.revision}.json" if spec.revision else "spec.json"
        replace_file(self.path / name, spec.model_dump_json(indent=2).encode())

    def read_spec(self) -> JobSpec:
        """Read the newest revision."""
        return JobSpec.model_validate_json(self.spec.read_bytes())

    def read_heartbeat(self) -> Heartbeat | None:
        """Read the newest heartbeat; None before the first, and for one that a full disk has spoilt."""
        try:
            return Heartbeat.model_validate_json(self.heartbeat.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
