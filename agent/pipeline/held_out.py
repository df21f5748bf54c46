"""A model measured on examples that it was not trained on: exact, whatever the batches are."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agent.pipeline.examples import Examples, collate
from agent.pipeline.objectives import Objective
from agent.pipeline.token_head import Batch, TrainedTokensHead


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Means over the examples; the loss in nats per trained token, or per pair or labelled answer."""

    loss: float
    accuracy: float | None = None
    margin: float | None = None


def measure(
    model: Any, examples: Examples, objective: Objective, *, batch_size: int, tick: Callable[[], None]
) -> HeldOut:
    """Measure a model. Its mode is the caller's; `tick` is called after each batch and may raise."""
    head, total, units, figures = TrainedTokensHead(model), 0.0, 0, Counter[str]()
    with torch.inference_mode():
        for batch, _numbers in batches(model, examples, batch_size=batch_size):
            loss = objective.loss(head, batch)
            total += float(loss.sum)
            units += loss.units
            figures.update(loss.figures)
            tick()
    means = {name: value / max(units, 1) for name, value in figures.items()}
    return HeldOut(loss=total / max(units, 1), accuracy=means.get("accuracy"), margin=means.get("margin"))


def batches(model: Any, examples: Examples, *, batch_size: int) -> Iterator[tuple[Batch, list[int]]]:
    """Yield all examples, those of like length together, and the number of each."""
    device = next(model.parameters()).device
    ordered = np.argsort(examples.lengths, kind="stable").tolist()
    for at in range(0, len(ordered), batch_size):
        numbers = ordered[at : at + batch_size]
        batch = collate([examples[number] for number in numbers])
        yield {key: value.to(device) for key, value in batch.items()}, numbers
