"""How a file is to be read where it does not say so itself, and who answers in it: what a person has said."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.schema import Request, SentenceError

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Speaker = Annotated[str, StringConstraints(min_length=1, max_length=200)]

MOST_WITHOUT = 50  # people
CHARACTER_LENGTH = 2000  # characters

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\r": None})  # that no Modelfile can hold
CharacterText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CHARACTER_LENGTH, strip_whitespace=True),
    AfterValidator(lambda text: text.translate(_SPACES)),
]


class Mapping(Request):
    """Columns of a table, or who is who in a chat export; and who the finished model is to be.

    Closed: what does not go together is refused.
    """

    question: Column | None = None  # the column that asks
    answer: Column | None = None  # the column that is learned
    system: Column | None = None  # a column with instructions for every answer
    text: Column | None = None  # in place of these: a column that is learned as a whole
    assistant: Speaker | None = None  # of a chat export: whose messages are learned
    without: Annotated[tuple[Speaker, ...], Field(max_length=MOST_WITHOUT)] = ()  # whose messages are left out
    character: CharacterText | None = None  # the system text of rows that have none

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if (self.question is None) != (self.answer is None):
            raise SentenceError("`question` and `answer` name two columns; give both or neither")
        kinds = [self.answer is not None, self.text is not None, self.assistant is not None or bool(self.without)]
        if self.character is not None and self.text is not None:
            raise SentenceError("`character` is told to who answers, and in a `text` nobody does; leave one out")
        if sum(kinds) > 1 or (sum(kinds) == 0 and self.character is None):
            raise SentenceError("give `question` and `answer`, or `text`, or `assistant` and `without`")
        if self.system is not None and self.answer is None:
            raise SentenceError("`system` goes with `question` and `answer`")
        if self.question == self.answer is not None:
            raise SentenceError("`question` and `answer` must be two different columns")
        if self.assistant in self.without:
            raise SentenceError("`assistant` cannot be in `without`: nothing would be left to learn")
        return self

    @property
    def of_rows(self) -> "Mapping | None":
        """Return how rows are read, whoever answers in them; None: as the file says itself."""
        read = self.model_copy(update={"character": None})
        return None if read == Mapping.model_construct() else read

    def over(self, other: "Mapping | None") -> "Mapping":
        """Return this one, with what it leaves open as in `other`. Raises pydantic.ValidationError for no pair."""
        if other is None:
            return self
        rows = self if self.of_rows is not None else other
        return Mapping.model_validate(rows.model_dump() | {"character": self.character or other.character})
