"""Whether a model may be loaded now, and how much of the machine it gets: trainings go first. Pure."""

from dataclasses import dataclass

from agent.errors import AgentError
from agent.machine.gpu import MIB, Machine
from agent.scheduling.task import Training, must_wait
from agent.store.tuned_models import TunedModel
from shared.errors import ErrorCode
from shared.language import _

CONTEXT = 4096  # tokens of question and answer together, or fewer where the model reads fewer
GROWTH = 1.15  # of a GGUF in memory, for what it keeps of a chat
BASIS_MIB = 320  # llama.cpp itself
SPARE_MIB = 512  # that the machine keeps
SHARE_BESIDE_A_TRAINER = 4  # it gets one of so many threads
ALL_LAYERS = 999


@dataclass(frozen=True, kw_only=True)
class ModelShare:
    """What a model may use."""

    threads: int
    on_gpu: bool


def refuse_while_starting(training: Training | None, *, made_way_at: float, now: float) -> None:
    """Raise model_busy while a job is about to start, or has not trained since it was last made way for."""
    if training is not None and must_wait(training, made_way_at=made_way_at, now=now):
        raise AgentError(
            _(
                "Job #{number} is starting and needs the memory. Ask again when it trains; /status shows that.",
                number=training.number,
            ),
            code=ErrorCode.model_busy,
        )


def find_room(
    model: TunedModel, *, gguf_bytes: int, machine: Machine, ram_free_mib: int, threads: int, training: Training | None
) -> ModelShare:
    """Return what a model may use; raise insufficient_memory. Beside a trainer it never touches the GPU."""
    needed = round(gguf_bytes / MIB * GROWTH) + BASIS_MIB
    if training is None and machine.device == "cuda" and machine.memory_free_mib >= needed + SPARE_MIB:
        return ModelShare(threads=threads, on_gpu=True)
    kept = SPARE_MIB + (training.still_needs_mib if training else 0)
    if ram_free_mib < needed + kept:
        raise AgentError(
            _(
                "To load {model} takes about {needed} MiB of memory, and {free} MiB can be used now. Close something "
                "on the GPU machine, or wait for a training to end, then ask again.",
                model=model.name,
                needed=needed,
                free=max(0, ram_free_mib - kept),
            ),
            code=ErrorCode.insufficient_memory,
        )
    return ModelShare(threads=threads if training is None else max(1, threads // SHARE_BESIDE_A_TRAINER), on_gpu=False)
