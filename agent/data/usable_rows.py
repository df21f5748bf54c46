"""The usable rows of a dataset, in the order of the file; each other one is counted with its reason.

The card, the fixes and the trainer read a file through here, so that all of them mean the same rows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from agent.data.character import system_text
from agent.data.chat_rows import detect_form, to_messages
from agent.data.chat_template import ChatTemplate, TokenizedRow
from agent.data.fitting import left_out
from agent.data.preferences import bad_answer, is_bad, turned_down
from agent.data.quoting import SURROGATE, named_keys
from agent.data.readers.containers import ReadSoFar
from agent.data.readers.formats import read_rows
from agent.data.readers.plain_text import passage_length, passages
from agent.data.readers.raw_row import RawRow
from agent.data.reading import Reading
from agent.data.row_length import USUAL_MAX_LENGTH
from agent.data.split_sizes import MIN_ROWS
from agent.data.turns import BadExample, ColumnProblem, EmptyText, Message, RowProblem, identity_of, offering, told
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import DatasetForm, DroppedRow
from shared.language import _, grouped
from shared.mapping import Mapping

SHOWN = 20  # drops, and lines of a finding, that are kept
BATCH = 256  # rows tokenized at once,
BATCH_CHARS = 1_000_000  # or as many as have so many characters together,
TURN_CHARS = 40  # with those that a chat template adds to a turn
ROW_CHARS = 1_000_000  # longer than any model reads; tokens take a hundred times the memory of their text
ROW_TURNS = 10_000
MAX_ROWS = 3_000_000  # the largest file that is taken, in rows of 350 bytes
TURNS_BEFORE = 11  # that a part of a long talk is given with
PARTS, ANSWERS_OF_A_PART = 20, 6  # of a long talk: so many at least, while each has an answer; and so many at most


@dataclass(frozen=True, kw_only=True)
class ChatRow:
    """A row that says who said what."""

    line: int
    unit: str  # what `line` counts
    messages: list[Message]
    value: dict[str, Any]  # as it lies in the file
    worse: list[Message] = field(default_factory=list)  # of a pair: the same talk with the answer that was turned down
    wanted: bool = True  # whether it was found good
    said: list[Message] = field(default_factory=list)  # the row as it was read, before it was fitted to a template
    whole: list[Message] = field(default_factory=list)  # the talk that this is a part of; empty: it is all
    goes_on: bool = False  # the row that it is a part of came before
    number: int = 0  # of a row of several examples, among all that can be learned
    part: int = 0  # of the examples that are made of one row, the whole talk first
    parts: int = 1
    answers_left_out: int = 0  # of the row, before anything is cut: those that the template has no place for
    origin: int | None = None  # of a part of a talk or text: a number that is equal for the parts of equal ones

    @property
    def identity(self) -> int:
        """Return a number that is equal for rows that are the same as a whole, in this process."""
        return identity_of(self.said or self.messages) if self.origin is None else self.origin


@dataclass(frozen=True, kw_only=True)
class KeptRow:
    """An example that can be trained on."""

    line: int
    messages: list[Message]
    tokens: TokenizedRow
    value: dict[str, Any]
    worse: TokenizedRow | None = None  # of a pair
    wanted: bool = True
    said: list[Message]  # the row as it was read, before it was fitted to a template
    number: int = 0
    part: int = 0
    parts: int = 1
    goes_on: bool = False
    origin: int | None = None

    @property
    def identity(self) -> int:
        """Return a number that is equal for rows that are the same as a whole, in this process."""
        return identity_of(self.said) if self.origin is None else self.origin


@dataclass(kw_only=True)
class Drops:
    """The rows that cannot be trained on. Bounded, however many there are."""

    count: int = 0
    first: list[DroppedRow] = field(default_factory=list)
    bad: int = 0  # of them, those that are labelled so
    empty: int = 0  # and those without a text
    empty_lines: list[int] = field(default_factory=list)

    def add(self, line: int, unit: str, problem: RowProblem) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(DroppedRow(line=line, reason=f"{_(unit)} {line} {problem}."))
        if isinstance(problem, BadExample):
            self.bad += 1
        if isinstance(problem, EmptyText):
            self.empty += 1
            if len(self.empty_lines) < SHOWN:
                self.empty_lines.append(line)


def chat_rows(
    reading: Reading, template: ChatTemplate, drops: Drops, *, meter: ReadSoFar | None = None, both: bool = False
) -> Iterator[ChatRow]:
    """Yield the rows that can be learned; each other one goes to `drops`. Raises AgentError for the file as a whole.

    `both`: also the answers that are not wanted. A pair without a worse answer is yielded without one.
    """
    length = _passage_length(reading, template) if reading.form is DatasetForm.text else 0
    rows = read_rows(reading.dataset, meter, reading.mapping)
    first = list(islice(rows, MIN_ROWS))
    few = len(first) < MIN_ROWS and reading.form is not DatasetForm.text
    for number, raw in enumerate(chain(first, rows), start=1):
        if number > MAX_ROWS:
            raise too_many_rows()
        try:
            if both and raw.value is not None and is_bad(raw.value, reading.form):
                bad = _with_character(_checked(bad_answer(raw.value)), reading.mapping)
                yield ChatRow(line=raw.line, unit=raw.unit, messages=bad, value=raw.value, wanted=False)
                continue
            said, worse = _messages(raw, reading.form), list[Message]()
            messages = said
            if both and reading.form is DatasetForm.preference:
                messages, worse = _pair(raw.value or {}, said)
            messages, said, worse = (_with_character(talk, reading.mapping) for talk in (messages, said, worse))
            row = ChatRow(
                line=raw.line, unit=raw.unit, messages=messages, value=raw.value or {}, worse=worse,
                said=said if worse else [],
            )  # fmt: skip
        except RowProblem as problem:
            drops.add(raw.line, raw.unit, problem)
        else:
            yield from _passages(row, template, length) if length else _parted(row) if few and not both else (row,)


def _pair(value: dict[str, Any], wanted: list[Message]) -> tuple[list[Message], list[Message]]:
    """Return both talks of a pair, the second empty where it cannot be told from the first, or has no answer."""
    try:
        better, worse = turned_down(value, wanted)
        return better, _checked(worse)
    except RowProblem:
        return wanted, []


def _parted(row: ChatRow) -> Iterator[ChatRow]:
    """Yield a long talk in parts, each with what was said before it: of a few long talks none could be held out."""
    told = [at for at, message in enumerate(row.messages) if message.role == "assistant" and message.learned]
    if len(told) < MIN_ROWS:
        yield row
        return
    led = [message for message in row.messages if message.role == "system"]
    identity = row.identity
    size = max(1, min(ANSWERS_OF_A_PART, len(told) // PARTS))
    for first in range(0, len(told), size):
        begin, end = told[first], told[min(first + size, len(told)) - 1]
        before = row.messages[max(0, begin - TURNS_BEFORE) : begin]
        before = [replace(each, learned=False) if each.role == "assistant" else each for each in before]
        turns = [each for each in (*before, *row.messages[begin : end + 1]) if each.role != "system"]
        talk = offering(row.messages[0].tools, [*led, *turns])
        yield replace(row, messages=talk, whole=row.messages, goes_on=first > 0, origin=identity)


def _passage_length(reading: Reading, template: ChatTemplate) -> int:
    rows = read_rows(reading.dataset, mapping=reading.mapping)
    found = (row.value.get("text") for row in rows if row.value)
    texts = (text for text in found if isinstance(text, str) and len(text) <= ROW_CHARS)  # others are dropped later
    return passage_length(texts, template, min(template.context_length, USUAL_MAX_LENGTH))


def _passages(row: ChatRow, template: ChatTemplate, length: int) -> Iterator[ChatRow]:
    """Yield a text that is learned as a whole, passage by passage."""
    identity = row.identity
    for lines, text in passages(row.messages[0].content, template, length):
        yield ChatRow(
            line=row.line + lines if row.unit == "Line" and set(row.value) == {"text"} else row.line,
            unit=row.unit,
            messages=[Message(role="text", content=text)],
            value=row.value | {"text": text},
            origin=identity,
        )


def kept_rows(reading: Reading, template: ChatTemplate, drops: Drops) -> Iterator[KeptRow]:
    """Yield the examples of a file with their tokens; each row that gives none goes to `drops`."""
    return tokenized(learned_rows(chat_rows(reading, template, drops), template), template, drops)


def learned_rows(rows: Iterable[ChatRow], template: ChatTemplate) -> Iterator[ChatRow]:
    """Yield the examples by which a template teaches each row: most often one, else one for each answer."""
    for number, row in enumerate(rows):
        examples = template.examples(row.messages)
        if examples[0] is row.messages and len(examples) == 1:
            yield row
            continue
        lost = left_out(row.messages, examples)
        for part, messages in enumerate(examples):
            yield replace(
                row, messages=messages, said=row.messages, number=number, part=part, parts=len(examples),
                answers_left_out=0 if part else lost,
            )  # fmt: skip


def tokenized(rows: Iterable[ChatRow], template: ChatTemplate, drops: Drops) -> Iterator[KeptRow]:
    """Yield rows with their tokens, some hundred at once."""
    for batch in batches(rows):
        for row, tokens in zip(batch, template.tokenize_all([row.messages for row in batch]), strict=True):
            if not isinstance(tokens, RowProblem):
                yield KeptRow(
                    line=row.line,
                    messages=row.messages,
                    tokens=tokens,
                    value=row.value,
                    said=row.said or row.messages,
                    number=row.number,
                    part=row.part,
                    parts=row.parts,
                    goes_on=row.goes_on,
                    origin=row.origin,
                )
            elif row.parts == 1:
                drops.add(row.line, row.unit, tokens)


def batches(rows: Iterable[ChatRow]) -> Iterator[list[ChatRow]]:
    """Yield rows, as many at once as may be tokenized at once."""
    batch, chars = list[ChatRow](), 0
    for row in rows:
        batch.append(row)
        chars += sum(_chars(message) + TURN_CHARS for message in row.messages)
        if len(batch) == BATCH or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def too_many_rows() -> AgentError:
    """Say that a file has more rows than are looked at."""
    return AgentError(
        _("A dataset may have {limit} rows, and this one has more. Send a part of it; few good rows teach more.",
          limit=grouped(MAX_ROWS)),
        code=ErrorCode.file_too_large,
    )  # fmt: skip


def _messages(raw: RawRow, form: DatasetForm) -> list[Message]:
    if raw.value is None:
        raise RowProblem(raw.problem or _("is not a row"))
    if detect_form(set(raw.value)) is not form:
        raise RowProblem(
            _("has the keys {keys}, not those of the {form} form", keys=named_keys(raw.value), form=form.value)
        )
    try:
        messages = to_messages(raw.value, form)
    except ColumnProblem as problem:
        problem.column = raw.columns.get(problem.column, problem.column)
        raise
    return _checked(messages)


def _checked(messages: list[Message]) -> list[Message]:
    """Return a talk that is not too much. Raises RowProblem."""
    if len(messages) > ROW_TURNS:
        raise RowProblem(
            _("has {turns} turns, and a row may have {limit}", turns=grouped(len(messages)), limit=grouped(ROW_TURNS))
        )
    if any("\r" in message.content for message in messages):
        messages = [replace(message, content=message.content.replace("\r\n", "\n")) for message in messages]
    chars = sum(map(_chars, messages))
    if chars > ROW_CHARS:
        raise RowProblem(
            _("has {chars} characters, and a row may have {limit}", chars=grouped(chars), limit=grouped(ROW_CHARS))
        )
    if any(SURROGATE.search(text) for message in messages for text in (message.said, message.tools)):
        raise RowProblem(_("contains half a surrogate pair, which is no text"))
    return messages


def _with_character(messages: list[Message], mapping: Mapping | None) -> list[Message]:
    """Return a row that says who answers, by what a person has said where it does not say so itself."""
    if mapping is None or mapping.character is None or not messages or messages[0].role == "text":
        return messages
    if system_text(messages):
        return messages
    return told(mapping.character, messages)


def _chars(message: Message) -> int:
    return len(message.said) + len(message.tools)
