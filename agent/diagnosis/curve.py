"""The course of a run as numbers: read from its events, smoothed. Pure."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.events import EvaluationData, EventRecord, ProgressData, StageData

SMOOTHING = 0.75  # of the running mean that each new loss leaves in place, on short runs


@dataclass(frozen=True, kw_only=True)
class LossCurve:
    """Points (step, value), by step. Losses: nats per trained token."""

    train: list[tuple[int, float]] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)  # the one at step 0 is the base model's
    learning_rate: list[tuple[int, float]] = field(default_factory=list)
    total_steps: int = 0

    @classmethod
    def from_events(cls, records: Iterable[EventRecord]) -> "LossCurve":
        """Gather the points of a run; a step that was repeated after a resume counts once, the later time."""
        train: dict[int, float] = {}
        validation: dict[int, float] = {}
        rate: dict[int, float] = {}
        total = 0
        for record in records:
            data = record.data
            if isinstance(data, StageData) and data.starts_over:
                for points in (train, validation, rate):
                    points.clear()
            if isinstance(data, ProgressData):
                total = data.total_steps
                for points, value in ((train, data.loss), (rate, data.learning_rate)):
                    if value is not None:
                        points[data.step] = value
            elif isinstance(data, EvaluationData) and data.split == "validation" and data.loss is not None:
                validation[data.step] = data.loss
        return cls(
            train=sorted(train.items()),
            validation=sorted(validation.items()),
            learning_rate=sorted(rate.items()),
            total_steps=total,
        )

    @property
    def best(self) -> tuple[int, float] | None:
        """Return the step and value of the lowest validation loss of the trained model."""
        trained = [point for point in self.validation if point[0] > 0] or self.validation
        return min(trained, key=lambda point: point[1], default=None)

    def smoothed(self) -> list[tuple[int, float]]:
        """Return the train loss as a running mean, without the pull of its start.

        A point weighs as much as the steps since the one before it: some are left out, of old jobs most.
        """
        if not self.train:
            return []
        usual = max(SMOOTHING, 1 - 20 / len(self.train)) if len(self.train) > 50 else SMOOTHING
        spacing = (self.train[-1][0] - self.train[0][0]) / max(len(self.train) - 1, 1)
        mean, weight, points = 0.0, 0.0, []
        before = self.train[0][0] - spacing
        for step, loss in self.train:
            keep = usual ** ((step - before) / spacing) if spacing else usual
            mean = keep * mean + (1 - keep) * loss
            weight = keep * weight + (1 - keep)
            points.append((step, mean / weight))
            before = step
        return points

    def spikes(self) -> list[tuple[int, float]]:
        """Return the steps whose loss jumped far above the median of the ten before."""
        found = []
        for at in range(10, len(self.train)):
            before = [loss for _, loss in self.train[at - 10 : at]]
            middle = statistics.median(before)
            spread = statistics.median(abs(loss - middle) for loss in before)
            step, loss = self.train[at]
            if loss > 1.5 * middle and loss > middle + 6 * spread:
                found.append((step, loss))
        return found
