"""Tables of which each row is one message: put together to talks, or to a chat where people speak and no roles.

Discord's CSV is one, and what a database of talks gives out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from agent.data.readers.chat_export import ChatExport, ExportedMessage, SpeakerNames
from agent.data.readers.exports.dates import Dates
from agent.data.readers.exports.export import LOOKED_AT, Content, Row, bounded
from agent.data.readers.exports.message_columns import MessageColumns, find_columns, role_of, speaker
from agent.data.readers.exports.talk import Turn, is_prose, joined, talk_row, turn
from agent.data.readers.exports.trees import best_paths
from agent.data.readers.raw_row import RawRow
from agent.data.readers.talks import SILENCE_S, TURNS


@dataclass(frozen=True, kw_only=True)
class _Message:
    raw: RawRow
    row: Row
    who: str
    text: str
    at: float | None = None


def fits(first: list[Row]) -> bool:
    """Say whether rows are messages."""
    return find_columns(first) is not None


def is_object(first: list[Row]) -> bool:
    """Say whether a file is one object that holds messages, which are no turns of role and content."""
    rows = _inside(first[0]) if len(first) == 1 else []
    return bool(rows) and not {"role", "content"} <= rows[0].keys() and find_columns(rows[:LOOKED_AT]) is not None


def read_object(rows: Iterator[RawRow]) -> Content:
    """Return what the messages of an object say."""
    inside = (row for raw in rows if raw.value for row in _inside(raw.value))
    return read(RawRow(line=number, unit="Row", value=row) for number, row in enumerate(inside, start=1))


def _inside(whole: Row) -> list[Row]:
    messages = whole.get("messages")
    return [it for it in messages if isinstance(it, dict)] if isinstance(messages, list) else []


def read(rows: Iterator[RawRow]) -> Content:
    """Return talks where all speakers are roles, else what people said. Rows without a text are left out."""
    first = list(islice(rows, LOOKED_AT))
    columns = find_columns([row.value for row in first if row.value])
    assert columns is not None  # it was asked
    kept, broken = list[_Message](), list[RawRow]()
    for raw in bounded(chain(first, rows)):
        message = _message(raw, columns)
        if message is not None:
            kept.append(message)
        elif raw.value is None or not set(raw.value) <= columns.read:
            broken.append(raw)
    messages = _timed(kept, columns)
    threads = _threads(messages, columns)
    if all(role_of(it.who) for it in messages):
        return chain(broken, _talks(threads, columns))
    return _chat(threads, columns)


def _message(raw: RawRow, columns: MessageColumns) -> _Message | None:
    if raw.value is None:
        return None
    who, text = speaker(raw.value.get(columns.who)), raw.value.get(columns.text)
    if who is None or not isinstance(text, str) or not text.strip():
        return None
    return _Message(raw=raw, row=raw.value, who=who, text=text)


def _timed(messages: list[_Message], columns: MessageColumns) -> list[_Message]:
    if columns.when is None:
        return messages
    whens = [str(it.row.get(columns.when) or "") for it in messages]
    dates = Dates(whens)
    return [
        _Message(raw=it.raw, row=it.row, who=it.who, text=it.text, at=dates.moment(when))
        for it, when in zip(messages, whens, strict=True)
    ]


def _threads(messages: list[_Message], columns: MessageColumns) -> list[list[_Message]]:
    """Return the messages by conversation, in order."""
    threads: dict[str, list[_Message]] = {}
    for it in messages:
        threads.setdefault(str(it.row.get(columns.thread)) if columns.thread else "", []).append(it)
    return [_ordered(thread, columns) for thread in threads.values()]


def _ordered(thread: list[_Message], columns: MessageColumns) -> list[_Message]:
    """Return the messages of a conversation by their number, else by their time, else as they stand."""
    numbers = [_number(it.row.get(columns.order)) if columns.order else None for it in thread]
    if None not in numbers and len(set(numbers)) == len(numbers):
        return [it for _at, _place, it in sorted(zip(numbers, range(len(thread)), thread, strict=True))]
    if all(it.at is not None for it in thread):
        return sorted(thread, key=lambda it: it.at or 0.0)
    return thread


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is refused
    except (TypeError, ValueError):
        return None


def _talks(threads: list[list[_Message]], columns: MessageColumns) -> Iterator[RawRow]:
    for thread in threads:
        for talk in _parts(thread, columns):
            first = RawRow(line=min(it.raw.line for it in talk), unit=talk[0].raw.unit, value=_aside(talk, columns))
            yield talk_row(first, joined(map(_turn, talk)), columns.read)


def _aside(talk: list[_Message], columns: MessageColumns) -> Row:
    """Return the texts of other columns, each as it stands in the first message that has one."""
    found: Row = {}
    for it in talk:
        for name, text in it.row.items():
            if name not in columns.read and is_prose(name, text):
                found.setdefault(name, text)
    return found


def _turn(message: _Message) -> Turn:
    return turn(role_of(message.who) or "user", message.text)


def _parts(thread: list[_Message], columns: MessageColumns) -> list[list[_Message]]:
    """Return the talks of a conversation: by whom each answers, else all of it; parted where no column tells one."""
    if columns.parent is not None and columns.key is not None and any(it.row.get(columns.parent) for it in thread):
        key, parent = columns.key, columns.parent
        return best_paths(
            thread, lambda it: str(it.row.get(key)), lambda it: str(above) if (above := it.row.get(parent)) else None,
            lambda _it: 0.0,
        )  # fmt: skip
    return [thread] if columns.thread is not None else _parted(thread)


def _parted(messages: list[_Message]) -> list[list[_Message]]:
    """Return messages of which nothing tells the conversation as talks of a usual length."""
    has_systems = sum(role_of(it.who) == "system" for it in messages) > 1
    talks: list[list[_Message]] = []
    for it in messages:
        role = role_of(it.who)
        last = talks[-1][-1] if talks else None
        silent = last is not None and it.at is not None and last.at is not None and it.at - last.at > SILENCE_S
        asks_anew = last is not None and role == "user" and role_of(last.who) != "user"
        full = not has_systems and asks_anew and len(talks[-1]) >= TURNS
        if last is None or silent or full or (has_systems and role == "system"):
            talks.append([])
        talks[-1].append(it)
    return talks


def _chat(threads: list[list[_Message]], columns: MessageColumns) -> ChatExport:
    people = SpeakerNames()
    said = []
    for room, thread in enumerate(threads):
        for it in thread:
            key = it.row.get(columns.who_id) if columns.who_id else None
            who = people.known(str(key) if key else f"name {it.who}", [it.who])
            line = it.raw.line
            said.append(ExportedMessage(line=line, at=it.at, who=who, text=it.text.strip(), room=room))
    unit = threads[0][0].raw.unit if threads else "Row"
    return ChatExport(said=said, names=people.names, unit=unit)
