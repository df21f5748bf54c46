"""The settings of a run: what a person may ask for, and what a plan resolved it to.

Names are OpenAI's where OpenAI has one (`n_epochs`, `batch_size`), else those of trl and peft.
"""

from typing import Annotated, Literal, Self

from pydantic import Field

from shared.schema import Request, Response

Auto = Literal["auto"]
Scheduler = Literal["cosine", "linear", "constant", "constant_with_warmup"]
ModuleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]


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
    load_in_4bit: Auto | bool = "auto"  # NF4 base weights (QLoRA) or 16-bit ones (LoRA)
    max_length: Auto | Annotated[int, Field(ge=32, le=32768)] = "auto"  # tokens a row; longer rows are cut
    per_device_train_batch_size: Auto | Annotated[int, Field(ge=1, le=64)] = "auto"
    warmup_steps: Auto | Annotated[int, Field(ge=0, le=10000)] = "auto"
    lr_scheduler_type: Auto | Scheduler = "auto"
    weight_decay: Auto | Annotated[float, Field(ge=0, le=0.5)] = "auto"
    early_stopping_patience: Auto | Annotated[int, Field(ge=1, le=100)] = "auto"  # evaluations
    activation_checkpointing: Auto | bool = "auto"  # recompute instead of store: slower, less memory


class Supervised(Request):
    """The body of `method.supervised`."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(Request):
    """OpenAI's `method`. Supervised fine-tuning is the one we run."""

    type: Literal["supervised"] = "supervised"
    supervised: Supervised = Supervised()

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Return the settings asked for, whatever the method."""
        return self.supervised.hyperparameters

    def with_hyperparameters(self, hyperparameters: Hyperparameters) -> Self:
        """Return the same method with other settings."""
        return self.model_copy(update={self.type: Supervised(hyperparameters=hyperparameters)})


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
