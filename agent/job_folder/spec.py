"""What a job is to do, resolved: written before its trainer starts, and anew beside it where the job adapts itself."""

from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm
from shared.mapping import Mapping
from shared.schema import Response


class JobSpec(Response):
    """What to do, resolved: spec.json, and after it spec-1.json and so on, of which the newest holds."""

    revision: int = 0  # how often the job has adapted itself
    adapted: list[str] = []  # what it changed each time, as a person reads it

    job_id: str
    number: int
    name: str  # the Ollama name without its tag
    ollama_name: str  # with it: toast:v1
    base_model: str  # the name a person used
    base_model_cache: str  # the folder of the fetched model's card
    base_model_kind: str | None = None  # where it comes from: packaged, gguf, folder, hub; None: a spec of before 0.2
    base_model_location: str | None = None  # a path, or the hub's id
    base_model_revision: str
    dataset_path: str
    dataset_sha256: str
    validation_path: str | None = None  # what is held out; None: a part of the dataset
    validation_sha256: str | None = None
    form: DatasetForm
    method: str = "supervised"  # a key of agent.methods.table.METHODS
    mapping: Mapping | None = None  # how its rows are read, as a person said
    settings: ResolvedSettings
    seed: int
    total_steps: int
    threads: int  # CPU threads of the trainer
    device: str  # "cuda" or "cpu"
    checkpoint_interval_s: float = 600.0
    progress_every_s: float = 0.5  # at most one progress event in this time
    ollama_url: str | None = None  # where the finished model is created, if Ollama answers there; None: nowhere
    evaluation_rows: int | None = None  # computed at once when the trained model is measured; None: as in training
    tried_again: bool = False  # as it was, before anything that was trained is given up
    began_again_at: float | None = None  # what came before, in seconds since 1970, was of a training that was given up
    rate_halved: bool = False  # the training had diverged once
    short_memory_mib: int | None = None  # what the job held when its memory was not enough
    ollama_open: bool = False  # also in an Ollama that others on the network can reach
