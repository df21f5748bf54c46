"""Questions that a file raises, for the tests of every front-end."""

from shared.inspections import (
    Choice,
    ColumnKind,
    Finding,
    FindingCode,
    Question,
    SampleRow,
    SeenColumn,
    SeenSpeaker,
    Severity,
)
from shared.mapping import Mapping

BEFORE = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
ASKED = BEFORE + "<|im_start|>user\nWo ist Paket 1?<|im_end|>\n<|im_start|>assistant\n"
ROW = SampleRow(line=2, parts=[(ASKED, False), ("Es ist bei [e-mail].<|im_end|>", True)])
BEST = Mapping(question="Kunde", answer="Unsere Antwort")
COLUMNS = Question(
    about="columns",
    columns=[
        SeenColumn(name="Kunde", example="Wo ist Paket 1?"),
        SeenColumn(name="Unsere Antwort", example="Es ist bei"),
    ],
    choices=[
        Choice(mapping=BEST, examples=[ROW, ROW, ROW]),
        Choice(mapping=Mapping(question="Unsere Antwort", answer="Kunde")),
        Choice(mapping=Mapping(text="Unsere Antwort")),
    ],
)
NOTHING_LIKELY = Question(
    about="columns",
    columns=[
        SeenColumn(name="conversation_id", example="c1", kind=ColumnKind.id),
        SeenColumn(name="created_at", example="2026-03-01", kind=ColumnKind.date),
        SeenColumn(name="is_archived_by_owner_of_list", example="false", kind=ColumnKind.flag),
    ],
    choices=[],
)
A_LABEL = COLUMNS.model_copy(update={"label": "label"})
NAMES = ("Mia Lund", "Ada Berg-Lindqvist of the team", "Tom")
PEOPLE = Question(
    about="assistant",
    speakers=[SeenSpeaker(name=name, messages=2000 - n) for n, name in enumerate(NAMES)],
    choices=[
        Choice(mapping=Mapping(assistant="Mia Lund"), examples=[ROW]),
        *(Choice(mapping=Mapping(assistant=name)) for name in NAMES[1:]),
        *(Choice(mapping=Mapping(without=(name,))) for name in NAMES),
    ],
)

NOBODY = Finding(
    code=FindingCode.base_system_text, severity=Severity.note, count=8, lines=[], message="No row says who.", why=""
)
