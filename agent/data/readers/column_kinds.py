"""What the columns of a table hold, by their names and by what stands in the first rows. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.data.quoting import SURROGATE
from agent.data.readers.unclear import words
from agent.data.redact import personal_kinds
from agent.data.turns import KNOWN_ROLES
from shared.inspections import ColumnKind

ASKS = words(
    "question frage pregunta domanda prompt query instruction input user human ask asked problem source context "
    "request message post title subject betreff eingabe anfrage anweisung q text review sentence customer kunde "
    "comment email english en src document article"
)
TELLS = words(
    "answer antwort respuesta réponse reponse risposta response output reply replied completion target label solution "
    "assistant agent bot gpt summary translation ausgabe lösung loesung a category class sentiment intent tag "
    "german de tgt highlights"
)
LABELS = words(
    "label labels category kategorie class klasse sentiment intent tag topic thema emotion target spam toxic toxicity "
    "y gold verdict"
)
IDS = words("id ids uuid guid index idx nr no number unnamed row key hash sha sku pk nummer")
DATES = words("date datum time timestamp created updated modified day year month zeit when")
LINKS = words("url link href uri website homepage")
FLAGS = words("is has was can should did enabled disabled active deleted archived flag")
ROLES = words("role speaker sender rolle sprecher")
PEOPLE = words("author autor name username nickname user from who wer member participant")
TITLES = words("title name subject headline heading titel betreff")  # too short to be what is answered
ASIDE = words(
    "lang language locale author license meta metadata split set score rating votes source_url version status file "
    "filename path model tokens"
)
LABEL_KINDS, LABEL_CHARS = 30, 30  # different labels at most, and characters of one on average
MOSTLY = 0.5  # of the rows have a text in a column that can be asked or answered
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBER = re.compile(r"[+\-]?[$€£]? ?\d[\d.,' ]*(?:[eE][+\-]?\d+)?\s*[%$€£]?")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.{0,15}|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?"
    r"|(?:\w{3,9},? )?\w{3,9} \d{1,2},? \d{4}\b.{0,20}",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_TOKEN = re.compile(r"(?=\S*\d)[\w.:\-/]{2,}|[0-9a-fA-F]{8,}")  # as ids are
_YES_OR_NO = words("true false yes no y n t f on off 0 1 0.0 1.0 ja nein wahr falsch")


@dataclass(frozen=True, kw_only=True)
class Column:
    """What the first rows hold under one name."""

    name: str
    words: frozenset[str]  # of its name
    kind: ColumnKind
    place: int
    length: float  # characters of a text, on average
    distinct: float  # share of the texts that are different
    prose: bool  # some text has more than one word
    example: str

    @property
    def is_named(self) -> bool:
        """Whether its name is one of what is asked or answered."""
        return bool(self.words & (ASKS | TELLS))

    @property
    def asks(self) -> bool:
        """Whether it may be what is asked: a text, or what is called a label, the other way round."""
        is_label = self.kind is ColumnKind.label and bool(self.words & LABELS)
        return (self.kind is ColumnKind.text or is_label) and not self.aside

    @property
    def tells(self) -> bool:
        """Whether it may be what is answered."""
        return self.kind in {ColumnKind.text, ColumnKind.label} and not self.aside and not self.words & TITLES

    @property
    def aside(self) -> bool:
        """Whether it says something about a row, and is neither asked nor answered."""
        return (
            (bool(self.words & ASIDE) and not self.words & (ASKS | TELLS))
            or not self.words
            or (self.distinct > 0.9 and not self.prose and not self.is_named)
        )


def columns_of(rows: list[dict[str, Any]]) -> Iterator[Column]:
    """Yield the columns in which most rows have something, and whose names may be shown."""
    cells: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            cells.setdefault(str(name), []).append(as_text(value).strip())
    for place, (name, values) in enumerate(cells.items()):
        texts = [text for text in values if text]
        if len(texts) < MOSTLY * len(rows) or not _can_be_named(name):
            continue
        called = words_of(name)
        yield Column(
            name=name,
            words=called,
            kind=kind_of(called, texts),
            place=place,
            length=sum(map(len, texts)) / len(texts),
            distinct=len(set(texts)) / len(texts),
            prose=any(" " in text for text in texts),
            example=texts[0],
        )


def are_messages(columns: list[Column]) -> bool:
    """Say whether a table has a message a row: it says who speaks, or names people who write at a time."""
    if any(column.kind is ColumnKind.role or column.words >= {"is", "user"} for column in columns):
        return True
    people = any(column.words & PEOPLE and column.kind is ColumnKind.label for column in columns)
    return people and any(column.kind is ColumnKind.date for column in columns)


def words_of(name: str) -> frozenset[str]:
    """Return the words of a column's name, however they are put together."""
    return frozenset(word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", name)))


def kind_of(called: frozenset[str], texts: list[str]) -> ColumnKind:
    """Say what a column holds, by the words of its name and its texts, of which it has some."""
    values = {text.casefold() for text in texts}
    is_prose = any(" " in text for text in texts)
    if called & LABELS and len(values) <= min(LABEL_KINDS, max(2, len(texts) // 2)):
        return ColumnKind.label
    for kind, of_the_name, fits in (
        (ColumnKind.role, ROLES, values <= KNOWN_ROLES.keys()),
        (ColumnKind.link, LINKS, _all(_LINK, texts)),
        (ColumnKind.flag, FLAGS, values <= _YES_OR_NO),
        (ColumnKind.date, DATES, _all(_DATE, texts)),
    ):
        if fits or (called & of_the_name and not is_prose and not called & (ASKS | TELLS)):
            return kind
    is_number = _all(_NUMBER, texts)
    is_token = not is_prose and len(values) > 0.9 * len(texts) and _all(_TOKEN, texts)
    if (called & IDS and (is_number or not is_prose)) or (is_token and not is_number):
        return ColumnKind.id
    if is_number:
        return ColumnKind.number
    few = len(values) <= min(LABEL_KINDS, len(texts) // 3)
    is_short = not is_prose or sum(map(len, values)) <= LABEL_CHARS * len(values)
    return ColumnKind.label if few and is_short and not called & ASKS else ColumnKind.text


def as_text(value: Any) -> str:
    """Return a cell as it is learned; what is no text and no number counts as empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _all(pattern: re.Pattern[str], texts: list[str]) -> bool:
    return all(pattern.fullmatch(text) for text in texts)


def _can_be_named(name: str) -> bool:
    """Say whether people may read a column's name: no half a character, nothing personal (then it is no header)."""
    return len(name.strip()) > 0 and len(name) <= 200 and not SURROGATE.search(name) and not personal_kinds(name)
