"""A job folder as the training leaves it, for tests of what comes after, or of none of its stages."""

from pathlib import Path

from agent.job_folder.folder import JobFolder
from agent.job_folder.spec import JobSpec
from agent.pipeline.context import Context, EventLog, Pulse
from shared.inspections import DatasetForm
from tests.fakes.agent_server import SETTINGS

SPEC = JobSpec(
    job_id="ftjob-1", number=1, name="toast", ollama_name="toast:v1", base_model="tiny", base_model_cache="none",
    base_model_revision="1", dataset_path="none", dataset_sha256="0" * 64, form=DatasetForm.prompt_completion,
    settings=SETTINGS, seed=42, total_steps=12, threads=1, device="cpu",
)  # fmt: skip


def finished_job(folder: Path, *, ollama_url: str | None) -> Context:
    """Return a job whose GGUF is written and checked."""
    spec = SPEC.model_copy(update={"ollama_url": ollama_url})
    job = JobFolder(path=folder / "job")
    job.create(spec)
    (job.export / "toast.gguf").write_bytes(b"GGUF" + bytes(2_500_000))
    return Context(folder=job, spec=spec, log=EventLog(job.events), pulse=Pulse(job))
