"""One pass over a dataset: what every row says, and what a seeded sample of at most 20,000 rows is to the model.

Memory is bounded: 12 bytes for each row, and what is kept of the sample. Nothing is judged here; `rules` does that.
"""

import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from rensa import RMinHash

from agent.data.character import CharacterCount
from agent.data.chat_template import IGNORED, ChatTemplate, TokenizedRow
from agent.data.checks.copies import SAMPLE, fingerprint
from agent.data.checks.languages import language_of
from agent.data.checks.text_checks import MARKDOWN, RowText, text_checks
from agent.data.fitting import learned_answers
from agent.data.lost_texts import lost_texts
from agent.data.readers.containers import PartRead, ReadSoFar
from agent.data.readers.count import has_more_lines
from agent.data.reading import Reading
from agent.data.turns import Message, RowProblem, identity_of
from agent.data.usable_rows import (
    MAX_ROWS,
    SHOWN,
    ChatRow,
    Drops,
    batches,
    chat_rows,
    learned_rows,
    too_many_rows,
)
from shared.inspections import DatasetForm, FindingCode

LANGUAGE_SAMPLE = 2_000  # of them, rows whose language is looked at: 0.2 ms each
CANDIDATES = 64  # of them, rows that may be shown
COLUMNS = 1_000  # whose rows are counted; a file may have a new name in every row
LABEL_CHARS = 40  # an answer that long may be one of a few labels
CANDIDATE_CHARS = 20_000
SEED = 42
JUDGED = (DatasetForm.preference, DatasetForm.labelled)

ReportRows = Callable[[int, int], None]  # rows and bytes read so far


@dataclass(kw_only=True)
class Tally:
    """How many rows, and the first of them."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one."""
        self.count += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What one row of the sample is."""

    number: int  # among the kept rows, from 0
    line: int
    length: int  # tokens
    trained: int  # of them
    start: int  # position of the first trained token; `length` where there is none
    end: int  # one behind the last trained token
    stops: bool  # an end-of-turn token is among the trained ones
    minhash: RMinHash
    identity: int  # equal for rows that are the same
    question: int  # equal for rows that ask the same
    answer: int  # equal for rows that are answered the same
    label: str | None  # the answer, if it is short
    language: str | None  # of the answer, for some of them
    markdown: bool
    messages: list[Message] | None  # of rows that may be shown


@dataclass(kw_only=True)
class Survey:
    """What was seen of a dataset."""

    drops: Drops = field(default_factory=Drops)
    lines: "array[int]" = field(default_factory=lambda: array("I"))  # of the kept rows
    identities: "array[int]" = field(default_factory=lambda: array("q"))
    found: dict[FindingCode, Tally] = field(default_factory=dict)
    personal: dict[str, int] = field(default_factory=dict)  # kind → rows
    lost: Counter[str] = field(default_factory=Counter)  # key → rows with a text there that the model is not shown
    character: CharacterCount = field(default_factory=CharacterCount)
    base_system: str = ""  # what the base model is told where nobody says anything; empty: that is nowhere quoted
    begins_with_words: bool = False  # it is told something then
    left_out: int = 0  # answers that are not learned
    left_out_lines: list[int] = field(default_factory=list)  # the first rows that have some
    apart: int = 0  # examples beyond the first of their row
    sample: list[Looked] = field(default_factory=list)
    example: Looked | None = None  # the first of them with its messages, however long it is
    judged: int = 0  # rows that say of an answer how good it is: pairs, and labelled answers good and bad
    bad: int = 0  # of them, answers that are labelled so
    worse_chars: int = 0  # of the answers that are not wanted, with what leads up to them
    better_chars: int = 0  # of the others that they stand beside
    longest: int = 0  # tokens of a row; also of those outside the sample, as far as their characters tell
    longest_answer: int = 0
    encoding: str | None = None  # that the file was converted from
    part: PartRead | None = None  # that was read of a file that holds several things
    sampled: bool = False  # there are more rows than were looked at

    @property
    def rows(self) -> int:
        """Return how many rows can be trained on."""
        return len(self.lines)


class Surveyor:
    """Looks at each row as it comes."""

    def __init__(self, template: ChatTemplate, eos_tokens: list[str], *, sample: int = SAMPLE) -> None:
        self._template = template
        self._ends = template.token_ids(eos_tokens)
        self._tests = text_checks(template.special_tokens, shows_tools=template.shows_tools)
        self._size = sample
        self._random = random.Random(SEED)
        self._share = 1.0  # of the rows, offered to the sample
        self._offered = 0
        self._slots: dict[int, Looked] = {}
        self._refused: dict[tuple[str, ...], str | None] = {}  # by who speaks when: why the template refuses it
        self._most_chars = 0
        habits = template.habits
        self.survey = Survey(
            found={code: Tally() for code in self._tests},
            base_system=habits.own_system,
            begins_with_words=habits.begins_with_words,
        )

    def look(self, reading: Reading, report: ReportRows) -> Survey:
        """Look at all rows of a file. Raises AgentError where it cannot be read as a whole."""
        meter = ReadSoFar()
        read = chat_rows(reading, self._template, self.survey.drops, meter=meter, both=reading.form in JUDGED)
        rows = learned_rows(self._good(read, reading.form), self._template)
        size, is_counted = reading.dataset.stat().st_size, False
        for batch in batches(rows):
            expected_rows = (self.survey.rows + len(batch)) * size / max(1, meter.at)
            if not self.survey.rows:
                self._share = self._fair_share(expected_rows)
            if expected_rows > MAX_ROWS and not is_counted:
                is_counted = True
                if has_more_lines(reading.dataset, MAX_ROWS + 1):  # one may be the header
                    raise too_many_rows()
            self._look_at([(row, self._slot()) for row in batch])
            report(self.survey.rows + self.survey.drops.count, meter.at)
        self.survey.sample = sorted(self._slots.values(), key=lambda row: row.number)
        self.survey.encoding = meter.encoding
        self.survey.part = meter.part
        self.survey.sampled = self.survey.rows > len(self._slots)
        return self.survey

    def _good(self, rows: Iterator[ChatRow], form: DatasetForm) -> Iterator[ChatRow]:
        """Yield the answers that are wanted; of the others, note how long they are."""
        survey = self.survey
        for row in rows:
            survey.judged += bool(row.worse) or form is DatasetForm.labelled
            if row.worse or not row.wanted:
                survey.worse_chars += _chars(row.worse or row.messages)
            if row.worse:
                survey.better_chars += _chars(row.messages)
            if row.wanted:
                yield replace(row, messages=row.said, said=[], worse=[]) if row.worse else row
            else:
                survey.bad += 1

    def _fair_share(self, expected_rows: float) -> float:
        """Return the share that fills the sample about once, for a file of clearly more rows than it takes."""
        return 1.0 if expected_rows < 2 * self._size else self._size / expected_rows

    def _slot(self) -> int | None:
        """Return the place that the next row takes in the sample, if any (Vitter's algorithm R)."""
        if self._share < 1 and self._random.random() >= self._share:
            return None
        self._offered += 1
        place = self._offered - 1 if self._offered <= self._size else self._random.randrange(self._offered)
        return place if place < self._size else None

    def _look_at(self, batch: list[tuple[ChatRow, int | None]]) -> None:
        wanted = [self._is_wanted(row, slot) for row, slot in batch]
        chosen = [row.messages for (row, _), is_wanted in zip(batch, wanted, strict=True) if is_wanted]
        tokens = iter(self._template.tokenize_all(chosen))
        for (row, slot), is_wanted in zip(batch, wanted, strict=True):
            problem = self._refused.get(_roles(row))
            found = next(tokens) if is_wanted else RowProblem(problem) if problem else None
            if is_wanted:
                self._refused.setdefault(_roles(row), str(found) if isinstance(found, RowProblem) else None)
            if not isinstance(found, RowProblem):
                self._keep(row, slot, found)
            elif row.parts == 1:
                self.survey.drops.add(row.line, row.unit, found)
            else:
                self._leave_out(row, learned_answers(row.messages))

    def _is_wanted(self, row: ChatRow, slot: int | None) -> bool:
        """Say whether a row is tokenized: of the sample, the first of its kind, or longer than any before."""
        chars = _chars(row.messages)
        is_longest = chars > self._most_chars
        self._most_chars = max(self._most_chars, chars)
        return slot is not None or is_longest or _roles(row) not in self._refused

    def _keep(self, row: ChatRow, slot: int | None, tokens: TokenizedRow | None) -> None:
        # Rows are compared as they were read: a system text in front of each question would make all alike.
        survey, text = self.survey, RowText(row.messages if row.parts > 1 else row.said or row.messages)
        identity = identity_of(text.messages) if not row.part else hash((row.line, row.part))
        number = survey.rows
        survey.lines.append(row.line)
        survey.identities.append(identity)
        for code, test in self._tests.items():
            if test(text):
                survey.found[code].add(row.line)
        self._note_losses(row, tokens)
        for kind in text.personal:
            survey.personal[kind] = survey.personal.get(kind, 0) + 1
        if tokens is None:
            return
        survey.longest = max(survey.longest, len(tokens.input_ids))
        survey.longest_answer = max(survey.longest_answer, tokens.trained)
        if slot is not None:
            self._slots[slot] = looked = self._looked(row, text, tokens, slot, number, identity)
            survey.example = survey.example or replace(looked, messages=row.messages)

    def _note_losses(self, row: ChatRow, tokens: TokenizedRow | None) -> None:
        survey = self.survey
        survey.apart += row.part > 0
        if not row.part:
            survey.character.add(row.said or row.messages)
        if left_out := row.answers_left_out + (tokens.missed if tokens is not None else 0):
            self._leave_out(row, left_out)
        for key in () if row.part or row.goes_on else lost_texts(row.value, row.whole or row.messages):
            if key in survey.lost or len(survey.lost) < COLUMNS:
                survey.lost[key] += 1

    def _leave_out(self, row: ChatRow, answers: int) -> None:
        self.survey.left_out += answers
        if len(self.survey.left_out_lines) < SHOWN:
            self.survey.left_out_lines.append(row.line)

    def _looked(
        self, row: ChatRow, text: RowText, tokens: TokenizedRow, slot: int, number: int, identity: int
    ) -> Looked:
        labels = tokens.labels
        start = next((place for place, label in enumerate(labels) if label != IGNORED), len(labels))
        end = next((place for place in range(len(labels), start, -1) if labels[place - 1] != IGNORED), 0)
        answer = text.answers[-1]
        shown = slot < CANDIDATES and len(text.whole) <= CANDIDATE_CHARS
        return Looked(
            number=number,
            line=row.line,
            length=len(tokens.input_ids),
            trained=tokens.trained,
            start=start,
            end=end,
            stops=not self._ends.isdisjoint(labels),
            minhash=fingerprint(text.whole),
            identity=identity,
            question=identity_of(row.messages[:-1]),
            answer=hash(answer),
            label=answer if len(answer) <= LABEL_CHARS else None,
            language=language_of(answer) if slot < LANGUAGE_SAMPLE else None,
            markdown=MARKDOWN.search(answer) is not None,
            messages=row.messages if shown else None,
        )


def _chars(messages: list[Message]) -> int:
    return sum(len(message.said) for message in messages)


def _roles(row: ChatRow) -> tuple[str, ...]:
    return tuple(f"{message.role} calls" if message.calls else message.role for message in row.messages)
