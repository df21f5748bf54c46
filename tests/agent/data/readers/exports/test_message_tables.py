"""Tables of which each row is one message become talks, or ask who is the assistant; nothing else is taken for one."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from agent.data.readers.exports.message_columns import find_columns
from agent.data.readers.formats import read_rows
from agent.data.readers.unclear import UnclearError
from agent.errors import AgentError
from shared.mapping import Mapping
from tests.agent.data.readers.exports.files import Talk, pair, said_by, saved, talks

BREAD, TEA = pair("Bread?", "Baked."), pair("Tea?", "Brewed.")


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rows(names: tuple[str, str, str], asks: str = "user", answers: str = "assistant") -> list[dict[str, Any]]:
    """Return two talks, a message a row."""
    thread, who, text = names
    said = [(0, asks, "Bread?"), (0, answers, "Baked."), (1, asks, "Tea?"), (1, answers, "Brewed.")]
    return [{thread: room, who: speaker, text: words} for room, speaker, words in said]


@pytest.mark.parametrize("names", [
    ("conversation_id", "role", "content"), ("conversationId", "from", "value"), ("Thread ID", "Sender", "Message"),
    ("session", "speaker", "utterance"), ("dialog_id", "author", "text"), ("chat_id", "sender_type", "body"),
])  # fmt: skip
@pytest.mark.parametrize("roles", [("user", "assistant"), ("Human", "AI"), ("customer", "agent"), ("prompter", "bot")])
def test_messages_of_roles_are_put_together_by_conversation(
    tmp_path: Path, names: tuple[str, str, str], roles: tuple[str, str]
) -> None:
    given = rows(names, *roles)
    assert talks(saved(tmp_path, given, lines=True)) == [BREAD, TEA]
    assert talks(saved(tmp_path, given)) == [BREAD, TEA]
    assert talks(saved(tmp_path, table(given))) == [BREAD, TEA]


@pytest.mark.parametrize("order", [
    {"turn_id": ["1", "2", "1", "2"]}, {"timestamp": [1_700_000_000, 1_700_000_060, 1_700_100_000, 1_700_100_060]},
    {"created_at": ["2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z", "2026-03-01T11:00:00Z", "2026-03-01T11:01:00Z"]},
])  # fmt: skip
def test_messages_out_of_order_are_put_in_order(tmp_path: Path, order: dict[str, list[Any]]) -> None:
    [(name, values)] = order.items()
    given = [row | {name: value} for row, value in zip(rows(("thread", "role", "text")), values, strict=True)]
    assert talks(saved(tmp_path, given[::-1], lines=True)) == [TEA, BREAD]


def test_messages_that_name_their_parent_follow_it(tmp_path: Path) -> None:
    said = [("a", None, "user", "Bread?"), ("d", "c", "assistant", "Brewed."), ("b", "a", "assistant", "Baked."),
            ("c", None, "user", "Tea?")]  # fmt: skip
    given = [{"id": key, "parent_id": above, "role": role, "text": text} for key, above, role, text in said]
    assert talks(saved(tmp_path, given, lines=True)) == [BREAD, TEA]


def test_messages_without_a_conversation_are_parted_at_each_system_text_or_at_a_usual_length(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    said = [{"role": role, "content": text} for role, text in (*BREAD, *TEA)]
    brief = [("system", "Be brief.")]
    assert talks(saved(tmp_path, [system, *said[:2], system, *said[2:]])) == [[*brief, *BREAD], [*brief, *TEA]]
    long: list[Talk] = talks(saved(tmp_path, said * 10, lines=True))
    assert [len(talk) for talk in long] == [12, 12, 12, 4]
    assert [turn for talk in long for turn in talk] == [*BREAD, *TEA] * 10


def test_a_text_of_another_column_stays_beside_its_talk(tmp_path: Path) -> None:
    given = [row | {"note": f"Mind the {row['text']}"} for row in rows(("thread", "role", "text"))]
    found = [row.value or {} for row in read_rows(saved(tmp_path, given))]
    assert [row["not_learned"]["note"] for row in found] == ["Mind the Bread?", "Mind the Tea?"]


@pytest.mark.parametrize(
    "names", [("channel", "username", "message"), ("room", "author", "text"), ("date", "from", "text")]
)
def test_messages_of_people_ask_who_is_the_assistant(tmp_path: Path, names: tuple[str, str, str]) -> None:
    given = rows(names, "Ana Berg", "Ben") * 2
    path = saved(tmp_path, table(given))
    assert said_by(path, "Ben") == {"Ana Berg": 4, "Ben": 4}
    assert all(role == "assistant" for role, text in talks(path, Mapping(assistant="Ben"))[0] if text == "Baked.")


def test_two_people_of_one_name_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    given = [{"author_id": str(n % 3), "author": "Ann" if n % 3 else "Ben", "text": "Hi there"} for n in range(9)]
    assert set(said_by(saved(tmp_path, given), "Ben")) == {"Ben", "Ann", "Ann (2)"}


@pytest.mark.parametrize("rows", [
    [{"author": f"Writer {n}", "date": f"2026-03-0{n}", "text": "A long story."} for n in range(1, 9)],
    [{"author": f"Writer {n % 2}", "date": "2026-03-01", "title": "A", "text": "A long story."} for n in range(8)],
    [{"author": f"Writer {n % 2}", "text": "A wise word."} for n in range(8)],
    [{"user": f"What is {n}?", "assistant": "Toast."} for n in range(8)],
    [{"role": "Doctor", "name": f"Ann {n}", "bio": "She heals."} for n in range(8)],
    [{"name": f"Ann {n}", "message": "Hello there."} for n in range(8)],
    [{"id": n, "text": "A wise word."} for n in range(8)],
])  # fmt: skip
def test_texts_of_authors_are_no_chat(rows: list[dict[str, Any]]) -> None:
    assert find_columns(rows) is None


def test_columns_that_a_person_names_are_read_as_said(tmp_path: Path) -> None:
    path = saved(tmp_path, table(rows(("room", "author", "text"), "Ana", "Ben") * 2))
    with pytest.raises(UnclearError):
        list(read_rows(path))
    assert next(read_rows(path, mapping=Mapping(text="text"))).value == {"text": "Bread?"}


def test_nobody_can_be_named_the_assistant_where_roles_speak(tmp_path: Path) -> None:
    path = saved(tmp_path, rows(("thread", "role", "text")))
    with pytest.raises(AgentError, match="no chat export"):
        list(read_rows(path, mapping=Mapping(assistant="assistant")))
