"""How many rows are computed at once on this machine, and whether their activations are kept. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.base_models.card import BaseModelCard, shape_of
from agent.errors import AgentError
from agent.machine.gpu import Machine
from agent.plan.defaults import asked
from agent.plan.memory import MemoryEstimate, estimate_memory
from agent.plan.setup import TrainingSetup
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters
from shared.language import _, apart, ngettext

MAX_MICRO_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """Rows computed at once, and whether their activations are kept."""

    rows: int
    activation_checkpointing: bool
    memory: MemoryEstimate


def choose_micro_batch(
    hyperparameters: Hyperparameters,
    batch_size: int,
    setup: TrainingSetup,
    card: BaseModelCard,
    machine: Machine,
    *,
    correction: float = 1.0,
) -> MicroBatch:
    """Choose the most rows at once that fit; recompute activations only if one row does not fit without.

    Rows and checkpointing of `setup` are replaced. Raises AgentError: insufficient_memory with needed and free,
    setting_invalid.
    """
    shape, candidates = shape_of(card), list(_setups(hyperparameters, batch_size, setup))
    lightest = estimate_memory(shape, candidates[-1], correction=correction)
    if lightest.fits(machine.memory_free_mib):
        for candidate in candidates:
            estimate = estimate_memory(shape, candidate, correction=correction)
            if estimate.fits(machine.memory_free_mib):
                return MicroBatch(
                    rows=candidate.rows, activation_checkpointing=candidate.activation_checkpointing, memory=estimate
                )
    rows = candidates[-1].rows
    needed, free = apart(lightest.total / 1024, machine.memory_free_mib / 1024, 1)
    raise AgentError(
        ngettext(
            "{name} needs about {estimate} GiB of {memory} even with {n} row at a time; {free} GiB are free on "
            "{machine}. Choose a smaller model, a shorter max_length, or close what else uses the memory.",
            "{name} needs about {estimate} GiB of {memory} even with {n} rows at a time; {free} GiB are free on "
            "{machine}. Choose a smaller model, a shorter max_length, or close what else uses the memory.",
            rows,
            name=card.name,
            estimate=needed,
            memory=_("GPU memory") if machine.device == "cuda" else _("memory"),
            free=free,
            machine=machine.name,
        ),
        code=ErrorCode.insufficient_memory,
        param="model",
    )


def _setups(hyperparameters: Hyperparameters, batch_size: int, setup: TrainingSetup) -> Iterator[TrainingSetup]:
    """Yield what may be chosen, the quickest first and the lightest last."""
    requested = asked(hyperparameters.per_device_train_batch_size)
    if requested is not None and batch_size % requested:
        raise AgentError(
            _(
                "per_device_train_batch_size is {requested}, which does not divide batch_size "
                "{batch_size}. Choose a divisor, or leave it to “auto”.",
                requested=requested,
                batch_size=batch_size,
            ),
            code=ErrorCode.setting_invalid,
            param="per_device_train_batch_size",
        )
    divisors = [n for n in range(min(MAX_MICRO_BATCH, batch_size), 0, -1) if batch_size % n == 0]
    checkpointing = asked(hyperparameters.activation_checkpointing)
    for mode in [False, True] if checkpointing is None else [checkpointing]:
        for rows in [requested] if requested else divisors:
            yield replace(setup, rows=rows, activation_checkpointing=mode)
