"""The verdict of the inspect child: what a dataset holds, for one base model."""

from agent.base_models.card import BaseModelCard
from shared.errors import ErrorDetail
from shared.files import FileObject
from shared.inspections import (
    Consideration,
    DatasetForm,
    DroppedRow,
    Finding,
    Fix,
    LengthHistogram,
    Question,
    ReadingProgress,
    SampleRow,
    TokenCounts,
)
from shared.mapping import Mapping
from shared.schema import Response


class Findings(Response):
    """Everything a plan needs to know of a dataset, and the card shows."""

    form: DatasetForm
    rows: int  # kept
    dropped_count: int
    dropped: list[DroppedRow]  # the first twenty
    tokens: TokenCounts
    sample: SampleRow
    more_samples: list[SampleRow] = []
    row_lengths: list[int] = []  # 101 quantiles of a row's tokens; empty: an inspection of before they were kept
    answer_starts: list[int] = []  # 101 quantiles of the position of the first trained token
    answer_ends: list[int] = []  # 101 quantiles of the position behind the last trained token; empty: as row_lengths
    findings: list[Finding] = []  # the worst first
    judged: int = 0  # rows that say of an answer how good it is: pairs, and labelled answers good and bad
    bad: int = 0  # of them, answers that are labelled so; no rows of `rows`
    worse_share: float = 0.0  # of pairs: how long the worse talks are, of the better ones
    sampled: int | None = None  # rows looked at for tokens, near copies and languages; None: all
    lengths: LengthHistogram | None = None
    right_tool: list[Consideration] = []
    notes: list[str]  # the worst findings, as sentences
    copies: int = 0  # of a validation file: rows that the training file has as well


class ValidationRows(Response):
    """A file whose rows are held out, as a model sees it."""

    file: FileObject
    findings: Findings

    @property
    def copies(self) -> int:
        """Return how many of its rows are trained on, and so are left out."""
        return self.findings.copies


class InspectRequest(Response):
    """What the inspect child is asked for."""

    dataset: str
    card: BaseModelCard
    mapping: Mapping | None = None
    training: str | None = None  # the file that is trained on, where the dataset is to be held out
    fixes: list[Fix] = []  # with `output`: write the mended rows there
    output: str | None = None
    output_limit: int = 0  # bytes


class Mended(Response):
    """What a fix did."""

    rows: int  # written
    removed: int  # usable rows that were not
    changed: int  # rows whose text is another


class InspectReply(Response):
    """One line of its answer: how far it is, or, as the last, one of the others."""

    progress: ReadingProgress | None = None
    findings: Findings | None = None
    mended: Mended | None = None
    question: Question | None = None  # with `error`: what has to be said first
    error: ErrorDetail | None = None
