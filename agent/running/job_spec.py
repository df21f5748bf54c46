"""What a trainer is told: a claimed job's plan, as the spec of its folder. Pure."""

from pathlib import Path

from agent.base_models.catalog import is_of_hub
from agent.base_models.ollama_store import usual_folder
from agent.children.sandbox import Policy
from agent.errors import AgentError
from agent.job_folder.folder import JobFolder, Phase
from agent.job_folder.spec import JobSpec
from agent.machine.gpu import Machine
from agent.settings import AgentSettings
from agent.store.running_jobs import Claim
from shared.errors import ErrorCode
from shared.language import _, decimal
from shared.plans import Plan


def make_spec(claim: Claim, settings: AgentSettings, machine: Machine, model_cache: Path) -> JobSpec:
    """Return the spec of a job that is about to start for the first time."""
    plan = claim.plan.plan
    models_dir = settings.hearth_models_dir
    return JobSpec(
        job_id=claim.job.id,
        number=claim.job.number,
        name=plan.suffix,
        ollama_name=claim.ollama_name,
        base_model=plan.model,
        base_model_cache=str(model_cache),
        models_dir=str(models_dir) if models_dir else None,
        ollama_models=str(settings.ollama_models) if settings.ollama_models else None,
        base_model_revision=plan.model_revision,
        dataset_path=str(settings.hearth_data_dir / claim.dataset.path),
        dataset_sha256=plan.file_sha256,
        form=claim.plan.form,
        mapping=plan.mapping,
        settings=plan.settings,
        seed=plan.seed,
        total_steps=plan.steps,
        threads=settings.hearth_threads or machine.cores,
        device="cuda" if plan.memory_kind == "GPU" else "cpu",  # as it was planned, whatever is there by now
        ollama_url=settings.ollama_url,
        ollama_open=settings.hearth_ollama_open,
    )


def policy_of(phase: Phase, folder: JobFolder, spec: JobSpec) -> Policy:
    """Return what a job's child may reach: its own folder, and of the base models and datasets what it works on."""
    cache = Path(spec.base_model_cache)
    models = [Path(folder) for folder in (spec.models_dir, spec.ollama_models or usual_folder()) if folder is not None]
    if phase is Phase.fetch:
        return Policy(read=tuple(models), write=(folder.path, cache), network=is_of_hub(spec.base_model))
    if phase is Phase.hand_over:
        return Policy(read=(cache, *models), write=(folder.path,), network=True)
    return Policy(read=(Path(spec.dataset_path), cache, *models), write=(folder.path,))


class GpuLostError(Exception):
    """The GPU that a job was planned for does not answer. Its text is for a person."""


def check_gpu(plan: Plan, machine: Machine) -> None:
    """Look again: a plan for a GPU must not end up on the CPU, a hundred times slower. Raises GpuLostError."""
    if plan.memory_kind == "GPU":
        gpu_of(machine)


def gpu_of(machine: Machine) -> str | None:
    """Return the GPU that a trainer is given, as CUDA_VISIBLE_DEVICES names it. Raises GpuLostError."""
    if machine.device != "cuda":
        raise GpuLostError(
            _(
                "The GPU does not answer any more, so nothing is started. Look at the GPU machine, restart it if need "
                "be, then resume: the job goes on where it was."
            )
        )
    return machine.gpu


def check_disk(plan: Plan, machine: Machine) -> None:
    """Look again: other jobs have filled the disk since the plan was made. Raises AgentError."""
    needed = plan.disk_mib.low
    if machine.disk_free_mib < needed:
        raise AgentError(
            _(
                "The job needs at least {needed} MiB of disk; {disk_free_mib} MiB are free in the data "
                "folder now. Free some space and start it again.",
                needed=decimal(needed, 0),
                disk_free_mib=machine.disk_free_mib,
            ),
            code=ErrorCode.insufficient_disk,
        )
