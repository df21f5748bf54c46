"""A chat export as a dataset: whose messages are learned, whose are left out, and what nobody needs to know. Pure.

All others get numbers for names, also where they are named in a message. Consecutive messages are one turn, and a talk
ends with a long silence.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from agent.data.phrases import Phrases
from agent.data.readers.chat_export import ChatExport, ExportedMessage
from agent.data.readers.raw_row import RawRow
from agent.data.readers.unclear import UnclearError, same_name, words
from agent.data.redact import personal_kinds
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import Choice, Question, SeenSpeaker
from shared.language import _
from shared.mapping import MOST_WITHOUT, Mapping

SILENCE_S = 3 * 3600  # after so long, something new is talked about
TURNS = 12  # of a talk, about; then a new one begins
TALK_CHARS = 6000
ASKED_ABOUT = 6  # people, those who say most
SPELLED_OUT = 4  # choices, as a program would send them
WORDS_TOO = words(  # names that are words of every day when they are written small
    "will mark may rose grace hope art bill jack june april august sky faith joy pat rob sue drew don ray dan sunny "
    "king max ernst frank wolf dieter mai juni rosa viola bernd angel chance dick gene guy jean jimmy john miles nick "
    "penny peg rich robin ruby violet ivy iris lily daisy eve dawn summer autumn the you and admin bot user"
)
_BEGIN = re.compile(r"(?<!\w)@?(?=\S)")  # of a name


@dataclass(kw_only=True)
class _Talk:
    line: int
    room: int
    turns: list[tuple[str, list[str]]] = field(default_factory=list)  # role and the messages of a turn
    chars: int = 0


def read_talks(export: ChatExport, mapping: Mapping | None) -> Iterator[RawRow]:
    """Yield one row of messages a talk. Raises UnclearError until somebody is the assistant."""
    if mapping is not None and mapping.assistant is None and not mapping.without:
        raise AgentError(
            _("This is a chat export: it has people, no columns. Say with `mapping` who is the assistant."),
            code=ErrorCode.dataset_unclear,
            param="mapping",
        )
    counts = Counter(said.who for said in reversed(export.said))  # of two who say as much, who spoke last answers
    without = {_known(name, counts) for name in mapping.without} if mapping else set()
    if mapping is None or mapping.assistant is None:
        raise _who_is_it(counts, sorted(without))
    assistant = _known(mapping.assistant, counts)
    named = Pseudonyms(export, assistant, without)
    for talk in _talks(export.said, assistant, without, named):
        row = _row(talk)
        if row is not None:
            yield RawRow(line=talk.line, unit=export.unit, value={"messages": row})


def _who_is_it(counts: Counter[str], without: list[str]) -> AgentError:
    left = [(name, count) for name, count in counts.most_common() if name not in without]
    if len(left) < 2:
        return AgentError(
            _(
                "In this chat {names} speaks alone. A dataset needs one who asks and one who answers.",
                names=left[0][0][:40] if left else _("nobody"),
            ),
            code=ErrorCode.dataset_too_small,
        )
    kept = tuple(without)
    choices = [Choice(mapping=Mapping(assistant=name, without=kept)) for name, _n in left[:ASKED_ABOUT]]
    if len(left) > 2 and len(without) < MOST_WITHOUT:
        choices += [Choice(mapping=Mapping(without=(*kept, name))) for name, _n in left[:ASKED_ABOUT]]
    message = _(
        "This is a chat of {names}. Say with `mapping` who is the assistant, whose messages are learned: {mappings}.",
        names=", ".join(name[:40] for name, _n in left[:ASKED_ABOUT]),
        mappings=", ".join(_spelled_out(choices)) or '{"assistant":"…"}',
    )
    speakers = [SeenSpeaker(name=name, messages=count) for name, count in left]
    return UnclearError(message, Question(about="assistant", speakers=speakers[:50], choices=choices))


def _spelled_out(choices: list[Choice]) -> list[str]:
    """Return what a program may send, without names that are masked in a message: a phone number, an address."""
    mappings = (choice.mapping for choice in choices if not personal_kinds(choice.mapping.assistant or ""))
    return [mapping.model_dump_json(exclude_defaults=True) for mapping in islice(mappings, SPELLED_OUT)]


def _known(name: str, counts: Counter[str]) -> str:
    known = name if name in counts else next((who for who in counts if same_name(name, who)), None)
    if known is None:
        raise AgentError(
            _(
                "Nobody in this chat is called “{name}”. There are: {names}.",
                name=name[:40],
                names=", ".join(who[:40] for who, _n in counts.most_common(8)),
            ),
            code=ErrorCode.dataset_unclear,
            param="mapping",
        )
    return known


class Pseudonyms:
    """Numbers in place of names, the same number throughout a file."""

    def __init__(self, export: ChatExport, assistant: str, without: Iterable[str]) -> None:
        speaking = dict.fromkeys(said.who for said in export.said if said.who != assistant)
        others = dict.fromkeys([*(who for who in speaking if who not in without), *speaking, *export.names])
        others.pop(assistant, None)
        self._numbers = {who: f"Person {number}" for number, who in enumerate(others, start=1)}
        self._by_name: dict[str, str] = {}
        for who, pseudonym in self._numbers.items():
            for name in _called(export.names.get(who, {who})):
                self._by_name.setdefault(name.casefold(), pseudonym)
        for name in _called(export.names.get(assistant, {assistant})):
            self._by_name.pop(name.casefold(), None)  # who is learned keeps the name
        self._names = Phrases(self._by_name)

    def of(self, who: str) -> str:
        """Return the pseudonym of a person."""
        return self._numbers[who]

    def mask(self, text: str) -> str:
        """Return a text in which nobody but the assistant is named."""
        pieces, done = [], 0
        for begin in _BEGIN.finditer(text):
            known = self._names.longest(text, begin.end()) if begin.start() >= done else None
            if known is None or text[begin.start() : known[1]] in WORDS_TOO:
                continue
            name, end = known
            pieces += [text[done : begin.start()], self._by_name[name]]
            done = end
        return "".join([*pieces, text[done:]])


def _called(names: Iterable[str]) -> Iterator[str]:
    """Yield names, and the parts of them that people are called by."""
    for name in names:
        whole = name.strip().removeprefix("@")
        if len(whole) >= 2:
            yield whole
        yield from (part for part in re.split(r"[\s_().,|]+", whole) if len(part) >= 3 and part.isalpha())


def _talks(said: list[ExportedMessage], assistant: str, without: set[str], named: Pseudonyms) -> Iterator[_Talk]:
    several = len({it.who for it in said} - without - {assistant}) > 1
    talk: _Talk | None = None
    last_at: float | None = None
    for it in said:
        if it.who in without:
            continue
        role = "assistant" if it.who == assistant else "user"
        silent = last_at is not None and it.at is not None and it.at - last_at > SILENCE_S
        last_at = it.at if it.at is not None else last_at
        if talk is not None and (talk.room != it.room or silent or (_is_long(talk) and role == "user")):
            yield talk
            talk = None
        talk = talk or _Talk(line=it.line, room=it.room)
        text = named.mask(it.text)
        _add(talk, role, f"{named.of(it.who)}: {text}" if several and role == "user" else text)
    if talk is not None:
        yield talk


def _is_long(talk: _Talk) -> bool:
    return talk.turns[-1][0] == "assistant" and (len(talk.turns) >= TURNS or talk.chars >= TALK_CHARS)


def _add(talk: _Talk, role: str, text: str) -> None:
    if not talk.turns or talk.turns[-1][0] != role:
        talk.turns.append((role, []))
    talk.turns[-1][1].append(text)
    talk.chars += len(text)


def _row(talk: _Talk) -> list[dict[str, str]] | None:
    """Return the turns from the first question to the last answer; None where nobody answers."""
    turns = talk.turns[1:] if talk.turns[0][0] == "assistant" else talk.turns
    turns = turns[:-1] if turns and turns[-1][0] == "user" else turns
    return [{"role": role, "content": "\n".join(texts)} for role, texts in turns] or None
