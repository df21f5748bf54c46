"""Whether a model may be loaded now, and how much of the machine it gets: trainings go first. Pure."""

from dataclasses import dataclass

from agent.errors import AgentError
from agent.machine.gpu import MIB, Machine
from agent.store.tuned_models import BEFORE_TRAINING, Training, TunedModel
from shared.errors import ErrorCode
from shared.jobs import Stage
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
    if training is not None and _is_starting(training, made_way_at, now):
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


def _is_starting(training: Training, made_way_at: float, now: float) -> bool:
    if training.waits or training.stage in BEFORE_TRAINING:
        return True
    trained_at = training.trained_at or 0
    if made_way_at > now:  # the clock was set back since: whether it has trained cannot be told, and is likely
        return False
    return training.stage is Stage.train and trained_at + 1 <= made_way_at  # events count whole seconds
