"""Questions that a file raises, for the tests of every front-end."""

from shared.inspections import Choice, Question, SampleRow, SeenColumn, SeenSpeaker
from shared.mapping import Mapping

ROW = SampleRow(line=2, parts=[("<|user|>Wo ist Paket 1?<|end|>", False), ("Es ist bei [e-mail].<|end|>", True)])
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
