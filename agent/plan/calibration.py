"""What finished runs on this machine say about the next estimate of memory. Pure."""

import statistics
from collections.abc import Iterable

from agent.base_models.shape import ModelShape
from agent.plan.duration import MeasuredRun
from agent.plan.memory import RUNTIME_MIB
from shared.plans import MemoryParts

LIMITS = (0.5, 2.0)  # a ratio beyond these speaks of something else than this model's memory
RECENT = 3  # the newest runs count: libraries and drivers change


def measured_ratio(parts: MemoryParts, *, peak_mib: int, kind: str) -> float | None:
    """Return how a run's measured peak compares to its estimate; None without a measurement.

    On a GPU what was measured is what torch reserved; the context comes on top.
    """
    if peak_mib <= 0:
        return None
    outside = RUNTIME_MIB["cuda"] if kind == "GPU" else 0
    return (peak_mib + outside) / parts.uncorrected


def memory_correction(shape: ModelShape, device: str, measured: Iterable[MeasuredRun]) -> float:
    """Return the factor for a model of this family on this machine, from runs sorted newest first; 1 without any."""
    ratios = [
        run.memory_ratio
        for run in measured
        if run.memory_ratio is not None and run.family == shape.model_type and run.device == device
    ]
    if not ratios:
        return 1.0
    low, high = LIMITS
    return min(max(statistics.median(ratios[:RECENT]), low), high)
