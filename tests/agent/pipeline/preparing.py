"""A job on a dataset whose base model is here: its folder before anything was done, and its rows as tokens."""

from pathlib import Path

from agent.base_models.card import BaseModelCard
from agent.job_folder.durable import file_sha256
from agent.job_folder.folder import JobFolder
from agent.job_folder.spec import JobSpec
from agent.pipeline import prepare
from agent.pipeline.context import Context, EventLog, Pulse
from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm
from shared.mapping import Mapping


def new_job(
    work: Path,
    dataset: Path,
    card: BaseModelCard,
    form: DatasetForm,
    mapping: Mapping | None = None,
    max_length: int = 128,
    validation: Path | None = None,
) -> JobFolder:
    """Return the folder of a job that nothing was done of."""
    cache, folder = work / "cache", JobFolder(path=work / "job")
    cache.mkdir()
    card.write(cache)
    settings = ResolvedSettings(
        n_epochs=1, batch_size=4, per_device_train_batch_size=2, gradient_accumulation_steps=2, learning_rate=1e-3,
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear", load_in_4bit=True, max_length=max_length,
        warmup_steps=0, lr_scheduler_type="cosine", weight_decay=0.0, early_stopping_patience=3, eval_steps=3,
        activation_checkpointing=False,
    )  # fmt: skip
    spec = JobSpec(
        job_id="ftjob-1", number=1, name="x", ollama_name="x:v1", base_model=card.name, base_model_cache=str(cache),
        base_model_revision=card.revision, dataset_path=str(dataset), dataset_sha256=file_sha256(dataset), form=form,
        mapping=mapping, settings=settings, seed=42, total_steps=12, threads=1, device="cpu",
        validation_path=str(validation) if validation else None,
        validation_sha256=file_sha256(validation) if validation else None,
    )  # fmt: skip
    folder.create(spec)
    return folder


def prepare_rows(folder: JobFolder) -> None:
    """Run the stage that makes tokens of rows."""
    prepare.run(Context(folder=folder, spec=folder.read_spec(), log=EventLog(folder.events), pulse=Pulse(folder)))
