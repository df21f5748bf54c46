"""The settings of a run: what a person may ask for, and what a plan resolved it to.

Names are OpenAI's where OpenAI has one (`n_epochs`, `batch_size`), else those of trl and peft.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from shared.schema import Request, Response, SentenceError

Auto = Literal["auto"]
MethodType = Literal["supervised", "pretraining", "dpo", "orpo", "kto"]
Scheduler = Literal["cosine", "linear", "constant", "constant_with_warmup"]
ModuleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
LayerIndex = Annotated[int, Field(ge=0, le=511)]
Precision = Literal["nf4", "int8", "original"]  # original: 16 bits, on a CPU 32
MOVING = ("olora", "pissa")
Beginning = Literal[True, "gaussian", "olora", "pissa"]  # of an adapter's matrices; True: one of them is zero


class Hyperparameters(Request):
    """Each `auto` or a value within stated limits. Whatever is left out is `auto`."""

    n_epochs: Auto | Annotated[float, Field(gt=0, le=50)] = "auto"  # passes over the training rows
    batch_size: Auto | Annotated[int, Field(ge=1, le=512)] = "auto"  # effective: rows per optimizer step
    learning_rate_multiplier: Auto | Annotated[float, Field(ge=0.01, le=10)] = "auto"  # of the auto rate
    learning_rate: Auto | Annotated[float, Field(ge=1e-6, le=1e-2)] = "auto"
    r: Auto | Annotated[int, Field(ge=1, le=256)] = "auto"  # LoRA rank
    lora_alpha: Auto | Annotated[int, Field(ge=1, le=512)] = "auto"
    lora_dropout: Auto | Annotated[float, Field(ge=0, le=0.5)] = "auto"
    target_modules: Auto | Literal["all-linear"] | Annotated[list[ModuleName], Field(min_length=1, max_length=32)] = (
        "auto"
    )
    layers_to_transform: Auto | Annotated[list[LayerIndex], Field(min_length=1, max_length=512)] = "auto"  # from 0 on
    use_rslora: Auto | bool = "auto"  # scale by alpha / √r, not alpha / r (arXiv 2312.03732)
    use_dora: Auto | bool = "auto"  # length and direction of the weights learn apart (arXiv 2402.09353)
    init_lora_weights: Auto | Beginning = "auto"
    loraplus_lr_ratio: Auto | Annotated[float, Field(ge=1, le=64)] = "auto"  # rate of B over that of A; 1: LoRA
    neftune_noise_alpha: Auto | Annotated[float, Field(ge=0, le=50)] = "auto"  # on embeddings; 0: none
    load_in_4bit: Auto | bool = "auto"  # NF4 base weights (QLoRA) or, with both off, 16-bit ones (LoRA)
    load_in_8bit: Auto | bool = "auto"  # LLM.int8 base weights (arXiv 2208.07339)
    max_length: Auto | Annotated[int, Field(ge=32, le=32768)] = "auto"  # tokens a row; longer rows are cut
    per_device_train_batch_size: Auto | Annotated[int, Field(ge=1, le=64)] = "auto"
    warmup_steps: Auto | Annotated[int, Field(ge=0, le=10000)] = "auto"
    lr_scheduler_type: Auto | Scheduler = "auto"
    weight_decay: Auto | Annotated[float, Field(ge=0, le=0.5)] = "auto"
    early_stopping_patience: Auto | Annotated[int, Field(ge=1, le=100)] = "auto"  # evaluations
    activation_checkpointing: Auto | bool = "auto"  # recompute instead of store: slower, less memory


class PreferenceHyperparameters(Hyperparameters):
    """Those of the methods that learn from better and worse answers."""

    beta: Auto | Annotated[float, Field(gt=0, le=2)] = "auto"  # how much being wrong about an answer counts


ADDED = frozenset({  # since an agent first served a bot of another version
    "load_in_8bit", "use_rslora", "use_dora", "init_lora_weights", "loraplus_lr_ratio", "neftune_noise_alpha",
    "layers_to_transform",
})  # fmt: skip


class Body(Request):
    """The body of `method.supervised` and `method.pretraining`."""

    hyperparameters: Hyperparameters = Hyperparameters()


class PreferenceBody(Request):
    """The body of `method.dpo`, `method.orpo` and `method.kto`."""

    hyperparameters: PreferenceHyperparameters = PreferenceHyperparameters()


class Method(Request):
    """OpenAI's `method`, with ours beside its own: a type, and the body of that type, and no other."""

    type: MethodType = "supervised"
    supervised: Body | None = None
    pretraining: Body | None = None
    dpo: PreferenceBody | None = None
    orpo: PreferenceBody | None = None
    kto: PreferenceBody | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_no_reinforcement(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("type") == "reinforcement":
            raise SentenceError(
                "reinforcement learns from a grader, and graders do not run here, those of Python code least of all; "
                f"choose {', '.join(list(BODIES)[:-1])} or {list(BODIES)[-1]}: rows with a better and a worse answer "
                "are learned by dpo, questions with their right answers by supervised"
            )
        return given

    @model_validator(mode="after")
    def _has_its_own_body(self) -> Self:
        others = [name for name in BODIES if name != self.type and getattr(self, name) is not None]
        if others:
            raise ValueError(f"its type is {self.type}, so it has no {others[0]}")
        if getattr(self, self.type) is None:
            object.__setattr__(self, self.type, BODIES[self.type]())
        return self

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Return the settings asked for, whatever the method."""
        hyperparameters: Hyperparameters = getattr(self, self.type).hyperparameters
        return hyperparameters

    @property
    def beta(self) -> float | None:
        """Return the `beta` asked for; None: it was left open, or the method has none."""
        asked = getattr(self.hyperparameters, "beta", "auto")
        return None if asked == "auto" else float(asked)

    def with_hyperparameters(self, hyperparameters: Hyperparameters) -> Self:
        """Return the same method with other settings. Raises pydantic.ValidationError for one that it has not."""
        return self.of(self.type, hyperparameters)

    def changed(self, change: Mapping[str, object]) -> Self:
        """Return the same method with some settings replaced. Raises pydantic.ValidationError."""
        given = {**self.hyperparameters.model_dump(), **change}
        return type(self).model_validate({"type": self.type, self.type: {"hyperparameters": given}})

    @model_serializer(mode="wrap")
    def _without_other_bodies(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out other bodies, and settings that are `auto` and that an older bot would not know and refuse."""
        written: dict[str, object] = handler(self)
        body = written[self.type]
        if isinstance(body, dict) and isinstance(body.get("hyperparameters"), dict):
            settings = body["hyperparameters"]
            body = body | {"hyperparameters": {k: v for k, v in settings.items() if k not in ADDED or v != "auto"}}
        return {"type": self.type, self.type: body}

    @classmethod
    def of(cls, type: MethodType, hyperparameters: Hyperparameters) -> Self:
        """Return a method with settings. Raises pydantic.ValidationError for one that it has not."""
        settings = hyperparameters.model_dump(exclude_unset=True)
        if type not in PREFERENCES and settings.get("beta") == "auto":
            del settings["beta"]
        return cls.model_validate({"type": type, type: {"hyperparameters": settings}})


BODIES: dict[MethodType, type[Body] | type[PreferenceBody]] = {
    "supervised": Body, "pretraining": Body, "dpo": PreferenceBody, "orpo": PreferenceBody, "kto": PreferenceBody,
}  # fmt: skip
PREFERENCES = [name for name, body in BODIES.items() if body is PreferenceBody]


class ResolvedSettings(Response):
    """No `auto` left: with dataset, model revision and seed, enough to repeat the run."""

    n_epochs: float
    batch_size: int  # effective
    per_device_train_batch_size: int
    gradient_accumulation_steps: int
    learning_rate: float
    r: int
    lora_alpha: int
    lora_dropout: float
    target_modules: Literal["all-linear"] | list[str]
    load_in_4bit: bool
    max_length: int
    warmup_steps: int
    lr_scheduler_type: Scheduler
    weight_decay: float
    early_stopping_patience: int
    eval_steps: int  # optimizer steps between evaluations
    activation_checkpointing: bool
    optim: Literal["adamw_torch", "paged_adamw_8bit"] = "adamw_torch"
    beta: float | None = None  # of a method that learns from better and worse answers
    load_in_8bit: bool = False  # from here on peft's defaults, for what was stored before they could be asked for
    layers_to_transform: list[int] | None = None  # None: all
    use_rslora: bool = False
    use_dora: bool = False
    init_lora_weights: Beginning = True
    loraplus_lr_ratio: float = 1.0
    neftune_noise_alpha: float = 0.0

    @property
    def held_in(self) -> Precision:
        """Return what the base's linear layers are held in while the adapter learns."""
        return "nf4" if self.load_in_4bit else "int8" if self.load_in_8bit else "original"

    @property
    def scale(self) -> float:
        """Return what the product of an adapter's matrices is multiplied by."""
        return self.lora_alpha / (math.sqrt(self.r) if self.use_rslora else self.r)

    @property
    def moves_base(self) -> bool:
        """Say whether the adapter begins as a part of the base's weights, which are without that part from then on."""
        return self.init_lora_weights in MOVING
