"""How many rows are computed at once on this machine, and whether their activations are kept. Pure."""

from dataclasses import dataclass

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings
from agent.errors import AgentError
from agent.gpu import Machine
from agent.plan.defaults import asked
from agent.plan.memory import estimate_memory
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters
from shared.language import _, decimal, ngettext

MAX_MICRO_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """Rows computed at once, and whether their activations are kept."""

    rows: int
    activation_checkpointing: bool
    memory_mib: float


def choose_micro_batch(
    hyperparameters: Hyperparameters,
    batch_size: int,
    findings: Findings,
    card: BaseModelCard,
    machine: Machine,
    *,
    r: int,
    length: int,
    load_in_4bit: bool,
) -> MicroBatch:
    """Choose the most rows at once that fit; recompute activations only if one row does not fit without.

    Raises AgentError: insufficient_memory with needed and free, setting_invalid.
    """
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
    sizes = [requested] if requested else divisors
    checkpointing = asked(hyperparameters.activation_checkpointing)
    modes = [False, True] if checkpointing is None else [checkpointing]
    options = [(rows, mode) for mode in modes for rows in sizes]
    for rows, mode in options:
        estimate = estimate_memory(
            card,
            device=machine.device,
            load_in_4bit=load_in_4bit,
            r=r,
            rows=rows,
            length=min(length, findings.tokens.longest),
            trained_share=findings.tokens.trained / findings.tokens.total,
            activation_checkpointing=mode,
        ).total
        fits = estimate <= 0.9 * machine.memory_free_mib
        if fits:
            return MicroBatch(rows=rows, activation_checkpointing=mode, memory_mib=estimate)
    raise AgentError(
        ngettext(
            "{name} needs about {estimate} GiB of {memory} even with {n} row at a time; {free} GiB are free on "
            "{machine}. Choose a smaller model, a shorter max_length, or close what else uses the memory.",
            "{name} needs about {estimate} GiB of {memory} even with {n} rows at a time; {free} GiB are free on "
            "{machine}. Choose a smaller model, a shorter max_length, or close what else uses the memory.",
            rows,
            name=card.name,
            estimate=decimal(estimate / 1024, 1),
            memory=_memory(machine),
            free=decimal(machine.memory_free_mib / 1024, 1),
            machine=machine.name,
        ),
        code=ErrorCode.insufficient_memory,
        param="model",
    )


def _memory(machine: Machine) -> str:
    return _("GPU memory") if machine.device == "cuda" else _("memory")
