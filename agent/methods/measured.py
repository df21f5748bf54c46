"""What held-out rows say of a model before and after its training, for a verdict in words."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Losses in the unit of the method: nats a token, or the loss of a pair."""

    before: float
    after: float
    rows: int  # that were held out: rows, or pairs
    accuracy: float | None = None  # share of the pairs of which the better answer became the likelier one
    accuracy_before: float | None = None  # of the untrained model, where that is no matter of course
    margin: float | None = None  # by how much on average: its reward less that of the worse answer
