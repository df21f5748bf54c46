"""Which base models suit this machine, the best first. Pure."""

from collections.abc import Iterable

from agent.base_models.catalog import Candidate
from agent.machine.gpu import Machine
from agent.plan.duration import MeasuredRun, estimate_minutes
from agent.plan.memory import estimate_memory
from agent.plan.setup import TrainingSetup
from shared.models import Model

USUAL_ROWS = 3 * 1000  # three passes over a thousand rows
USUAL_TOKENS = 100 * USUAL_ROWS
USUAL_BATCHES = USUAL_ROWS / 4  # half of what is computed at once where memory allows
PATIENCE_HOURS = 8  # a night; what takes longer comes after what does not


def best_first(candidates: Iterable[Candidate], machine: Machine, measured: list[MeasuredRun]) -> list[Model]:
    """Say of each model whether it fits what is free on `machine` and how long a usual run takes, and sort them.

    First what fits and is done in a night, the largest first; then what fits, the quickest first; then what does not,
    the smallest first; last what nobody can say anything of.
    """
    return sorted((_judged(candidate, machine, measured) for candidate in candidates), key=_place)


def _judged(candidate: Candidate, machine: Machine, measured: list[MeasuredRun]) -> Model:
    if candidate.shape is None:
        return candidate.model
    shape = candidate.shape
    setup = TrainingSetup(
        device=machine.device, rows=1, length=512, activation_checkpointing=True, attention=shape.attention
    )
    estimate = estimate_memory(shape, setup)
    minutes = estimate_minutes(
        parameters=shape.parameters,
        layers=shape.layers,
        tokens=USUAL_TOKENS,
        evaluated_tokens=0,
        batches=USUAL_BATCHES,
        evaluated_batches=0,
        device=machine.device,
        device_name=machine.name,
        cores=machine.cores,
        measured=measured,
    )
    return candidate.model.model_copy(
        update={
            "memory_mib": round(estimate.total),
            "usual_hours": round((minutes.low + minutes.high) / 120, 1),
            "fits": estimate.fits(machine.memory_free_mib),
        }
    )


def _place(model: Model) -> tuple[int, float]:
    size, hours = model.parameters or 0, model.usual_hours or 0.0
    if model.fits is None:
        return 3, 0.0
    if not model.fits:
        return 2, size
    return (0, -size) if hours <= PATIENCE_HOURS else (1, size)
