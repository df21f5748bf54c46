"""How a file is to be read where it does not say so itself: what a person has confirmed or changed."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.schema import Request, SentenceError

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Speaker = Annotated[str, StringConstraints(min_length=1, max_length=200)]

MOST_WITHOUT = 50  # people


class Mapping(Request):
    """Columns of a table, or who is who in a chat export. Closed: what does not go together is refused."""

    question: Column | None = None  # the column that asks
    answer: Column | None = None  # the column that is learned
    system: Column | None = None  # a column with instructions for every answer
    text: Column | None = None  # in place of these: a column that is learned as a whole
    assistant: Speaker | None = None  # of a chat export: whose messages are learned
    without: Annotated[tuple[Speaker, ...], Field(max_length=MOST_WITHOUT)] = ()  # whose messages are left out

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if (self.question is None) != (self.answer is None):
            raise SentenceError("`question` and `answer` name two columns; give both or neither")
        kinds = [self.answer is not None, self.text is not None, self.assistant is not None or bool(self.without)]
        if sum(kinds) != 1:
            raise SentenceError("give `question` and `answer`, or `text`, or `assistant` and `without`")
        if self.system is not None and self.answer is None:
            raise SentenceError("`system` goes with `question` and `answer`")
        if self.question == self.answer is not None:
            raise SentenceError("`question` and `answer` must be two different columns")
        if self.assistant in self.without:
            raise SentenceError("`assistant` cannot be in `without`: nothing would be left to learn")
        return self
