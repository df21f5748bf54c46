"""What was understood of a dataset, as one base model will see it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.errors import ErrorDetail
from shared.hyperparameters import MethodType
from shared.language import N_
from shared.mapping import Mapping
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
    text = "text"  # {"text"}, or a file of plain text or Markdown: learned as a whole (continued pre-training)


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    serious = "serious"  # what comes of it will disappoint, or harm somebody
    warning = "warning"  # better mended
    note = "note"  # good to know


class Fix(StrEnum):
    """What can be done about a finding with one tap: a new file is made."""

    dedupe = "dedupe"  # keep one of each row
    dedupe_near = "dedupe_near"  # and one of those that are nearly the same
    redact = "redact"  # put [e-mail] and the like in place of personal data and secrets
    clean = "clean"  # take out unseen characters, special tokens
    trim = "trim"  # take away spaces around texts
    drop_placeholders = "drop_placeholders"  # leave out rows whose answer has an unfilled {{name}}
    drop_short = "drop_short"  # leave out rows with a very short answer
    drop_cut = "drop_cut"  # leave out rows whose answer would be cut


class FindingCode(StrEnum):
    """The closed list of what an inspection may find."""

    secrets = "secrets"
    personal_data = "personal_data"
    special_tokens = "special_tokens"  # of the model, in somebody's text
    tools_not_shown = "tools_not_shown"  # offered to the model, which its template leaves out
    no_end_of_turn = "no_end_of_turn"  # rows that do not teach the model to stop
    answers_cut = "answers_cut"  # whole or in part, at max_length
    few_trained_tokens = "few_trained_tokens"
    placeholders = "placeholders"
    exact_copies = "exact_copies"
    near_copies = "near_copies"
    leakage = "leakage"  # held-out rows with a near copy among the trained ones
    contradictions = "contradictions"  # the same question with other answers
    repeated_answers = "repeated_answers"
    label_balance = "label_balance"
    empty_texts = "empty_texts"
    unusable_rows = "unusable_rows"
    unread_columns = "unread_columns"  # keys with a text that stands in nothing that the model is shown
    thoughts_not_shown = "thoughts_not_shown"  # before an answer, to a model that has no place for them
    answers_left_out = "answers_left_out"  # that the template has no place for, as a greeting before all questions
    base_system_text = "base_system_text"  # what the base model is told by itself, which no row says otherwise
    own_system_text = "own_system_text"  # what most rows tell the model before the talk becomes its own
    answers_apart = "answers_apart"  # a talk becomes an example for each answer
    converted = "converted"  # from another encoding, by what its text leaves no doubt about
    part_read = "part_read"  # of a workbook or an archive, which holds more
    unseen_characters = "unseen_characters"  # control, zero-width, turning the reading direction
    loose_spaces = "loose_spaces"  # around texts
    markup = "markup"  # HTML left over from a web page
    mixed_formatting = "mixed_formatting"
    mixed_languages = "mixed_languages"
    short_answers = "short_answers"
    long_answers = "long_answers"
    few_rows = "few_rows"
    changing_knowledge = "changing_knowledge"
    one_side_learned = "one_side_learned"  # of pairs or labels, the good answers alone


class InspectionRequest(Request):
    """The body of POST /v1/files/{id}/inspections."""

    model: str  # the base model whose tokenizer and template count
    mapping: Mapping | None = None  # how to read it, where it does not say so itself
    note: Annotated[str, StringConstraints(max_length=4000)] | None = None  # kept for whoever asks, and given back
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


class Finding(Response):
    """One thing that was found. It quotes counts and lines, never what stands there."""

    code: FindingCode
    severity: Severity
    count: int  # rows
    lines: list[int]  # the first of them
    message: str  # a sentence with figures
    why: str  # why it matters, with the rule behind it
    fix: Fix | None = None


class LengthHistogram(Response):
    """How long rows are, in tokens."""

    width: int  # tokens of a bar; the last bar has all that is longer
    kept: list[int]  # rows, bar by bar
    cut: list[int]  # rows whose answer loses its end at max_length
    lost: list[int]  # rows that lose the whole answer
    max_length: int  # what a plan would choose by itself
    saves_all: int  # the max_length at which no answer loses anything


class Consideration(Response):
    """One question of "is fine-tuning the right tool?", answered from the data as far as it can be."""

    question: str
    answer: str
    against: bool  # it speaks for another tool, or for waiting


class ReadingProgress(Response):
    """How far the reading of a file is."""

    rows: int
    bytes: int
    of: int


class ColumnKind(StrEnum):
    """What a column holds. All but texts and labels are never proposed as what is asked or answered."""

    text = "text"
    label = "label"  # one of a few words or numbers
    number = "number"
    flag = "flag"  # yes or no
    date = "date"
    id = "id"
    link = "link"
    role = "role"  # who speaks


COLUMN_KINDS = {
    ColumnKind.text: N_("texts"),
    ColumnKind.label: N_("labels"),
    ColumnKind.number: N_("numbers"),
    ColumnKind.flag: N_("yes or no"),
    ColumnKind.date: N_("dates"),
    ColumnKind.id: N_("ids"),
    ColumnKind.link: N_("links"),
    ColumnKind.role: N_("roles"),
}


class SeenColumn(Response):
    """One column of a table whose columns are unclear."""

    name: str
    kind: ColumnKind = ColumnKind.text
    example: str  # the beginning of its first text, masked


class SeenSpeaker(Response):
    """One person in a chat export."""

    name: str
    messages: int


class Choice(Response):
    """One way to read the file."""

    mapping: Mapping
    examples: list[SampleRow] = []  # up to three rows, read so; of the first choice alone


class Question(Response):
    """What a person has to say before a file can be read. Answered by another inspection with a `mapping`."""

    about: Literal["columns", "assistant"]
    columns: list[SeenColumn] = []
    speakers: list[SeenSpeaker] = []  # who says most first
    label: str | None = None  # the column that nobody knows the meaning of, where the others are clear
    choices: list[Choice]  # the likeliest first; none where nothing is likely


class Inspection(Response):
    """An answer to 'what is in this file?'. Ends `completed` or `failed`.

    With a `question` it is completed, and nothing can be trained on before that is answered.
    """

    id: str  # insp-…
    object: Literal["file.inspection"] = "file.inspection"
    created_at: int
    status: Literal["running", "completed", "failed"]
    file_id: str
    model: str
    mapping: Mapping | None = None  # as asked
    note: str | None = None  # as asked
    question: Question | None = None
    form: DatasetForm | None = None
    method: MethodType = "supervised"  # that such rows are made for
    rows: int = 0  # kept
    bad: int = 0  # answers that are labelled so, beside those: learned only where good and bad are compared
    dropped_count: int = 0
    dropped: list[DroppedRow] = []  # the first of them
    tokens: TokenCounts | None = None
    sample: SampleRow | None = None
    more_samples: list[SampleRow] = []  # of typical and of large length
    findings: list[Finding] = []  # the worst first
    sampled: int | None = None  # rows looked at for tokens, near copies and languages; None: all
    lengths: LengthHistogram | None = None
    right_tool: list[Consideration] = []
    notes: list[str] = []  # the worst findings, as sentences
    progress: ReadingProgress | None = None  # while it runs
    error: ErrorDetail | None = None
