"""Which progress events of an ended job stay: a few hundred points that draw the same curve on a phone. Pure.

A job's events are taken in stretches of equal length. Of each stay the first point and the last, the highest and the
lowest loss, and from each of its slots the point nearest to the slot's mean. Beside each of the former stays a point
near the mean too: so a spike is drawn as narrow as it was, and hardly moves the running mean.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STRETCHES = 30
SLOTS = 6  # in a stretch
MOST = SLOTS + 2 * 2 + 2 * 3  # points that stay of a stretch: its slots', its ends', its extremes'
LIMIT = STRETCHES * MOST  # and of a job
FEW = 2000  # with so many a job is left as it is: they take under 1 MB, and a noisy curve is drawn best by all of it
ASIDE = 10  # points on either side among which one near the mean is looked for


@dataclass(frozen=True, kw_only=True)
class Point:
    """A progress event: its number among all events of its job, and its loss where it has a finite one."""

    number: int
    loss: float | None


def stretches(last: int) -> Iterator[range]:
    """Divide the numbers 1 to `last`. A thinned job is divided as before: its last event says how it ended."""
    width = _ceil(last, STRETCHES)
    for start in range(1, last + 1, width):
        yield range(start, min(start + width, last + 1))


def chosen(points: Sequence[Point], stretch: range) -> set[int]:
    """Return the numbers of the points of a stretch that stay; of one that was thinned before, all."""
    if len(points) <= MOST:
        return {point.number for point in points}
    width = _ceil(len(stretch), SLOTS)
    slots: dict[int, list[Point]] = {}
    for point in points:
        slots.setdefault((point.number - stretch.start) // width, []).append(point)
    means = {slot: _mean(within) for slot, within in slots.items()}
    staying = {_nearest(within, means[slot]).number for slot, within in slots.items()}
    for at in _marked(points):
        mean = means[(points[at].number - stretch.start) // width]
        staying.add(points[at].number)
        for beside in (points[max(at - ASIDE, 0) : at], points[at + 1 : at + 1 + ASIDE]):
            staying |= {_nearest(beside, mean).number} if beside else set()
    return staying


def loss_of(record: str | bytes) -> float | None:
    """Return the loss of a progress event as it is stored; None also for what cannot be read."""
    try:
        loss = json.loads(record)["data"]["loss"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(loss) if isinstance(loss, int | float) else None


def _marked(points: Sequence[Point]) -> set[int]:
    """Return the places of the ends and of the extremes."""
    losses = {at: point.loss for at, point in enumerate(points) if point.loss is not None}
    extremes = {choose(losses, key=losses.__getitem__) for choose in (min, max)} if losses else set()
    return {0, len(points) - 1} | extremes


def _mean(points: Sequence[Point]) -> float:
    losses = [point.loss for point in points if point.loss is not None]
    return sum(losses) / max(len(losses), 1)


def _nearest(points: Sequence[Point], mean: float) -> Point:
    return min(points, key=lambda point: math.inf if point.loss is None else abs(point.loss - mean))


def _ceil(count: int, parts: int) -> int:
    return max(1, -(-count // parts))
