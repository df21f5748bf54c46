"""A dry run: what would be done, why, and what it costs. Costs nothing itself."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.hyperparameters import Method, MethodType, ResolvedSettings
from shared.mapping import Mapping
from shared.people import RequestedBy
from shared.schema import Request, Response

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Range(Response):
    """An honest estimate: low and high, in the unit the field's name says."""

    low: float
    high: float


class Setting(Response):
    """One resolved setting and the reason for it."""

    name: str
    value: str
    reason: str


class MethodChoice(Response):
    """One way to learn from a file."""

    type: MethodType
    title: str  # in words: "learns from better and worse answers"


class Preset(StrEnum):
    """A named set of rules by which every `auto` is resolved."""

    quick_look = "quick_look"  # minutes: does the data teach anything at all?
    balanced = "balanced"  # the default
    thorough = "thorough"  # more passes, a larger add-on, more patience


class MemoryParts(Response):
    """MiB at the peak of training, by part."""

    weights: float  # the base model as it lies in memory
    lora: float
    gradients: float
    optimizer: float
    activations: float
    logits: float
    fragmentation: float  # held by the allocator, used by nobody
    runtime: float  # libraries and the GPU's context
    correction: float = 1.0  # of the sum: measured over estimated, of finished runs of this family on this machine

    @property
    def uncorrected(self) -> float:
        """Return the sum of the parts."""
        used = self.weights + self.lora + self.gradients + self.optimizer + self.activations + self.logits
        return used + self.fragmentation + self.runtime


class PlanRequest(Request):
    """The body of POST /v1/fine_tuning/plans."""

    model: str
    training_file: str
    validation_file: str | None = None  # what is held out; None: a part of the training rows
    mapping: Mapping | None = None  # how to read the file, where it does not say so itself
    method: Method = Method()
    preset: Preset = Preset.balanced  # how what is left to `auto` is chosen
    suffix: ModelName | None = None  # the name of the new model; made from the file's name if absent
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 42
    requested_by: RequestedBy | None = None


class PlanChanges(Request):
    """The body of POST /v1/fine_tuning/jobs/{job}/plans: what is to differ from that job. What is left out stays."""

    model: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    mapping: Mapping | None = None
    method: Method | None = None  # of its hyperparameters those that are given; `auto` takes a value back
    preset: Preset | None = None
    suffix: ModelName | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    requested_by: RequestedBy | None = None


class Plan(Response):
    """Bound to one file and one revision of one model. Kept seven days.

    What is free of memory is what will be once the running job has ended and a model that is chatted with is put away:
    not before that does a job of this plan start.
    """

    id: str  # ftplan-…
    object: Literal["fine_tuning.plan"] = "fine_tuning.plan"
    created_at: int
    expires_at: int
    model: str
    model_revision: str
    training_file: str
    file_sha256: str
    validation_file: str | None = None  # what is held out; None: a part of the training rows
    validation_sha256: str | None = None
    mapping: Mapping | None = None
    suffix: str
    seed: int
    method: Method  # as asked
    methods: list[MethodChoice] = []  # by which such rows can be learned, this one among them
    preset: Preset = Preset.balanced
    settings: ResolvedSettings
    reasons: list[Setting]
    train_rows: int
    validation_rows: int
    test_rows: int  # 0: validation doubles as test, and its figure is optimistic
    steps: int
    trained_tokens: int  # over all epochs
    minutes: Range
    memory_mib: Range
    memory: MemoryParts | None = None  # None: a plan of before parts were kept
    memory_kind: Literal["GPU", "RAM"]
    memory_free_mib: int  # free now, and what our own running job and chat hold
    conversion_memory_mib: int | None = None  # RAM, once, to make a GGUF's weights trainable; None: nothing to convert
    prepare_memory_mib: int | None = None  # RAM, at the beginning, to make tokens of the rows; None: not estimated then
    export_memory_mib: int | None = None  # RAM, at the end, to write and check the model; None: not estimated then
    disk_mib: Range
    disk_free_mib: int
    device: str  # "NVIDIA GeForce RTX 4090", "CPU (2 cores)"
    queue_position: int  # the place a job made now would get; 1 runs at once
    queue_wait_minutes: float
    notes: list[str] = []


class Alternative(Response):
    """What would fit instead of what was refused: a plan of its own, complete and kept like any other."""

    plan: str  # ftplan-…, to look at and to start
    title: str  # what is different, in a few words
    model: str
    minutes: Range
    memory_mib: Range
