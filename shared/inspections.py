"""What was understood of a dataset, as one base model will see it."""

from enum import StrEnum
from typing import Literal

from shared.errors import ErrorDetail
from shared.people import RequestedBy
from shared.schema import Request, Response


class DatasetForm(StrEnum):
    """The shapes of row we read."""

    messages = "messages"  # OpenAI chat: {"messages": [{"role", "content"}]}
    prompt_completion = "prompt/completion"  # {"prompt", "completion"}
    alpaca = "alpaca"  # {"instruction", "input", "output"}
    sharegpt = "sharegpt"  # {"conversations": [{"from", "value"}]}
    question_answer = "question/answer"  # two columns: {"question", "answer"}, {"input", "output"} and the like
    preference = "preference"  # {"prompt", "chosen", "rejected"}, or a talk in place of the prompt
    labelled = "labelled"  # {"messages" or "prompt" and "completion", "label": true or false} (KTO)


class InspectionRequest(Request):
    """The body of POST /v1/files/{id}/inspections."""

    model: str  # the base model whose tokenizer and template count
    requested_by: RequestedBy | None = None


class DroppedRow(Response):
    """One row that cannot be trained on."""

    line: int  # 1-based line of the file; for a JSON array, the number of the row
    reason: str  # a sentence


class TokenCounts(Response):
    """Tokens as the model's own tokenizer counts them, over the kept rows."""

    total: int
    trained: int  # those the loss sees: the assistant's, end-of-turn included
    median: int  # per row
    p95: int
    longest: int
    longest_answer: int  # the longest trained part of a row


class SampleRow(Response):
    """One row as the model will see it, with personal data and secrets masked."""

    line: int
    parts: list[tuple[str, bool]]  # text, and whether it is trained on; in order


class Inspection(Response):
    """An answer to 'what is in this file?'. Ends `completed` or `failed`."""

    id: str  # insp-…
    object: Literal["file.inspection"] = "file.inspection"
    created_at: int
    status: Literal["running", "completed", "failed"]
    file_id: str
    model: str
    form: DatasetForm | None = None
    rows: int = 0  # kept
    dropped_count: int = 0
    dropped: list[DroppedRow] = []  # the first of them
    tokens: TokenCounts | None = None
    sample: SampleRow | None = None
    notes: list[str] = []  # things worth knowing that stop nothing
    error: ErrorDetail | None = None
