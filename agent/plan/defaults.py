"""Every `auto` resolved by a named rule, each with its reason. Pure.

The figures are those of the seed documents this project started from; where two disagree, the measured one wins.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

from agent.data.row_length import USUAL_MAX_LENGTH, fitting_length
from agent.errors import AgentError
from agent.plan.presets import RULES, PresetRules
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters
from shared.language import _
from shared.plans import Preset, Setting

BATCHES = (16, 8, 4)  # effective; the largest is the default, smaller ones buy steps on small data
BALANCED = RULES[Preset.balanced]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How often the data is seen, and in how many steps."""

    batch_size: int  # effective
    n_epochs: float
    steps: int
    reason_batch: str
    reason_epochs: str


def asked(value: Literal["auto"] | T) -> T | None:
    """Return what the person set; None for `auto`."""
    return None if value == "auto" else value


def steps_of(rows: int, batch_size: int, n_epochs: float) -> int:
    """Return the optimizer steps of a run; the last batch of an epoch may be short."""
    return max(1, math.ceil(math.ceil(rows / batch_size) * n_epochs))


def choose_schedule(
    rows: int, asked_batch: int | None, asked_epochs: float | None, rules: PresetRules = BALANCED
) -> Schedule:
    """Lower the batch, then raise the epochs, until there are enough optimizer steps to learn from."""
    batches = (asked_batch,) if asked_batch else BATCHES
    epochs = (asked_epochs,) if asked_epochs else tuple(range(rules.base_epochs, rules.max_epochs + 1))
    options = [(batch, float(epochs[0])) for batch in batches] + [(batches[-1], float(more)) for more in epochs[1:]]
    batch, n_epochs = next(
        (option for option in options if steps_of(rows, *option) >= rules.enough_steps),
        options[-1],
    )
    steps = steps_of(rows, batch, n_epochs)
    return Schedule(
        batch_size=batch,
        n_epochs=n_epochs,
        steps=steps,
        reason_batch=_batch_reason(batch, rows, chosen=asked_batch is not None),
        reason_epochs=_epochs_reason(n_epochs, steps, rules, chosen=asked_epochs is not None),
    )


def _batch_reason(batch: int, rows: int, *, chosen: bool) -> str:
    if chosen:
        return _("as you asked")
    if batch == BATCHES[0]:
        return _("rows per step: 16 averages out the noise of single rows")
    return _(
        "rows per step: lowered from 16, because {rows} rows in batches of 16 make too few steps to learn", rows=rows
    )


def _epochs_reason(n_epochs: float, steps: int, rules: PresetRules, *, chosen: bool) -> str:
    if chosen:
        return _("as you asked")
    if n_epochs > rules.base_epochs:
        return _(
            "raised from {base_epochs}, because the data is small; with more it would be learned by heart",
            base_epochs=rules.base_epochs,
        )
    return _("passes over the data; {steps} steps are enough, and more passes would be learned by heart", steps=steps)


def choose_learning_rate(hyperparameters: Hyperparameters, parameters: int, part: float = 1.0) -> tuple[float, str]:
    """Return the learning rate and why: LoRA's new layers want 1e-4 to 3e-4, larger models the lower end.

    `part` is what a method takes of it.
    """
    if (rate := asked(hyperparameters.learning_rate)) is not None:
        return rate, _("as you asked")
    if parameters < 1_000_000_000:
        rate, reason = 3e-4, _("new LoRA layers want a brisk rate; small models the upper end of 1e-4 to 3e-4")
    elif parameters < 13_000_000_000:
        rate, reason = 2e-4, _("the usual rate for QLoRA on models of this size")
    else:
        rate, reason = 1e-4, _("large models want smaller steps")
    if part != 1:
        rate = float(f"{rate * part:.2g}")
        reason = _("a part of the rate for examples: comparing answers overdoes it quickly")
    if (multiplier := asked(hyperparameters.learning_rate_multiplier)) is not None:
        return rate * multiplier, _("{rate:g} times your multiplier {multiplier:g}", rate=rate, multiplier=multiplier)
    return rate, reason


def choose_max_length(
    requested: int | None, longest: int, context_length: int, most: int = USUAL_MAX_LENGTH, *, needed: int = 0
) -> tuple[int, str]:
    """Return the tokens a row may have and why: as long as the data, no longer.

    `most` is the preset's own limit; `needed` is where most answers have ended, which outweighs it.
    """
    if requested is not None and requested > context_length:
        return context_length, _(
            "you asked for {requested}, and the model reads {context_length} at most",
            requested=requested,
            context_length=context_length,
        )
    if requested is not None:
        return requested, _("as you asked")
    fitting = fitting_length(longest, context_length, most, needed=needed)
    if fitting >= longest:
        return fitting, _("the longest row has {longest} tokens, so none is cut", longest=longest)
    if fitting == context_length:
        return fitting, _(
            "the longest row has {longest} tokens, and the model reads {context_length} at most",
            longest=longest,
            context_length=context_length,
        )
    if fitting > most:
        return fitting, _(
            "more than the usual {most}, because most answers end only here; the longest row has {longest} tokens",
            most=most,
            longest=longest,
        )
    return fitting, _("the longest row has {longest} tokens and is cut here, to save memory", longest=longest)


def choose_warmup(requested: int | None, steps: int) -> tuple[int, str]:
    """Return the warm-up steps and why: 5 % of the run, never more than a tenth of it. Raises AgentError."""
    if requested is not None and requested >= steps:
        raise AgentError(
            _(
                "warmup_steps is {requested}, and the whole run has {steps}. Choose fewer, or “auto”.",
                requested=requested,
                steps=steps,
            ),
            code=ErrorCode.setting_invalid,
            param="warmup_steps",
        )
    if requested is not None:
        return requested, _("as you asked")
    if steps < 10:
        return 0, _("the run is too short to spend a step on warming up")
    return min(max(1, round(0.05 * steps)), steps // 10), _("a gentle start: a twentieth of the steps")


def choose_dropout(
    requested: float | None,
    parameters: int,
    *,
    possible: bool = True,
    use_dora: bool = False,
    moves_base: bool = False,
) -> tuple[float, str]:
    """Return LoRA's dropout and why. Raises AgentError where the method has no place for it."""
    if not possible and requested:
        raise AgentError(
            _(
                "lora_dropout is {requested}, and this method compares the model with itself, which must answer the "
                "same twice. Leave it to “auto”.",
                requested=requested,
            ),
            code=ErrorCode.setting_invalid,
            param="lora_dropout",
        )
    if not possible:
        return 0.0, _("none: the model is compared with itself, and must answer the same twice")
    if requested is not None:
        return requested, _("as you asked")
    if moves_base:
        return 0.0, _("none: the adapter holds a part of the model, which would be dropped with it")
    if use_dora:
        return 0.0, _("none: with it DoRA would compute every layer twice")
    if parameters <= 13_000_000_000:
        return 0.1, _("keeps a model of this size from learning rows by heart")
    return 0.05, _("large models need less of it")


def plain(name: str, value: object, reason: str) -> Setting:
    """Return a setting as a person reads it."""
    return Setting(name=name, value=f"{value:g}" if isinstance(value, float) else str(value), reason=reason)
