"""The verdict of the inspect child: what a dataset holds, for one base model."""

from agent.base_models.card import BaseModelCard
from shared.errors import ErrorDetail
from shared.inspections import DatasetForm, DroppedRow, SampleRow, TokenCounts
from shared.schema import Response


class Findings(Response):
    """Everything a plan needs to know of a dataset, and the card shows."""

    form: DatasetForm
    rows: int  # kept
    dropped_count: int
    dropped: list[DroppedRow]  # the first twenty
    tokens: TokenCounts
    sample: SampleRow
    answer_starts: list[int] = []  # 101 quantiles of the position of the first trained token
    notes: list[str]


class InspectRequest(Response):
    """What the inspect child is asked for."""

    dataset: str
    card: BaseModelCard


class InspectReply(Response):
    """Its answer: exactly one of the two."""

    findings: Findings | None = None
    error: ErrorDetail | None = None
