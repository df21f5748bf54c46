"""What a trainer is told: a claimed job's plan, as the spec of its folder. Pure."""

from pathlib import Path

from agent.base_models.card import read_card
from agent.base_models.catalog import BaseModelSource, SourceKind, paths_of, source_of
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


def make_spec(claim: Claim, settings: AgentSettings, machine: Machine, source: BaseModelSource) -> JobSpec:
    """Return the spec of a job that is about to start for the first time."""
    plan = claim.plan.plan
    return JobSpec(
        job_id=claim.job.id,
        number=claim.job.number,
        name=plan.suffix,
        ollama_name=claim.ollama_name,
        base_model=plan.model,
        base_model_cache=str(source.cache),
        base_model_kind=source.kind.value,
        base_model_location=source.location,
        base_model_revision=plan.model_revision,
        dataset_path=str(settings.hearth_data_dir / claim.dataset.path),
        dataset_sha256=plan.file_sha256,
        validation_path=str(settings.hearth_data_dir / claim.validation.path) if claim.validation else None,
        validation_sha256=plan.validation_sha256,
        form=claim.plan.form,
        method=plan.method.type,
        mapping=plan.mapping,
        settings=plan.settings,
        seed=plan.seed,
        total_steps=plan.steps,
        threads=settings.hearth_threads or machine.cores,
        device="cuda" if plan.memory_kind == "GPU" else "cpu",  # as it was planned, whatever is there by now
        ollama_url=settings.ollama_url,
        ollama_open=settings.hearth_ollama_open,
    )


def fetched_source(spec: JobSpec) -> BaseModelSource:
    """Return where a base model lies that is on this disk, whether or not it still has its name."""
    cache = Path(spec.base_model_cache)
    card = read_card(cache)
    kind = SourceKind.hub if cache.name.startswith("hub--") else SourceKind.folder
    location = str(cache) if card is None else card.folder
    return BaseModelSource(name=spec.base_model, kind=kind, location=location, cache=cache)


def with_source(spec: JobSpec, source: BaseModelSource) -> JobSpec:
    """Return a spec of before 0.2 with where its base model comes from."""
    return spec.model_copy(update={"base_model_kind": source.kind.value, "base_model_location": source.location})


def policy_of(phase: Phase, folder: JobFolder, spec: JobSpec) -> Policy:
    """Return what a job's child may reach: its own folder, and of the base models and datasets what it works on."""
    source = source_of(spec)
    local = () if source.kind is SourceKind.hub else paths_of(Path(source.location))
    if phase is Phase.fetch:
        return Policy(read=local, write=(folder.path, source.cache), network=source.kind is SourceKind.hub)
    if phase is Phase.hand_over:
        return Policy(read=(source.cache, *local), write=(folder.path,), network=True)
    datasets = map(Path, filter(None, (spec.dataset_path, spec.validation_path)))
    return Policy(read=(*datasets, source.cache, *local), write=(folder.path,))


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
