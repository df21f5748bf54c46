"""Columns that fit no known form: what is proposed, and rows read as a person says."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.data.findings import InspectRequest
from agent.data.inspect import inspect_dataset
from agent.data.mend import mend
from agent.data.readers.columns import ask_for_columns
from agent.data.readers.formats import read_rows
from agent.data.readers.unclear import UnclearError
from agent.data.reading import find_reading
from agent.data.usable_rows import Drops, chat_rows
from agent.errors import AgentError
from shared.inspections import DatasetForm, FindingCode, Fix
from shared.mapping import Mapping
from tests.agent.data.child import ask_child
from tests.agent.data.test_inspect import jsonl

TICKETS: list[Any] = [
    {"ticket_id": 100 + n, "Kunde": f"Wo ist Paket {n}?", "Unsere Antwort": f"Es ist bei Nummer {n}, m{n}@x.org."}
    for n in range(12)
]
READ = Mapping(question="Kunde", answer="Unsere Antwort")


@pytest.mark.parametrize(
    ("row", "question", "answer"),
    [
        (TICKETS[0], "Kunde", "Unsere Antwort"),
        ({"label": "spam", "text": "Win a prize now"}, "text", "label"),
        ({"en": "Good morning to you", "de": "Guten Morgen, wie geht es"}, "en", "de"),
        ({"document": "A long text about cats.", "summary": "Cats are fine."}, "document", "summary"),
        ({"Reply": "You are welcome", "Customer message": "Thanks a lot"}, "Customer message", "Reply"),
        ({"x": "What is it?", "y": "A cat, I would say."}, "x", "y"),
    ],
)
def test_the_likeliest_columns_come_first_and_the_other_way_round_second(
    row: dict[str, Any], question: str, answer: str
) -> None:
    error = ask_for_columns([row, row | {key: f"{value} indeed" for key, value in row.items() if " " in str(value)}])
    assert error is not None
    first, second, *others = [choice.mapping for choice in error.question.choices]
    assert (first.question, first.answer) == (question, answer)
    assert (second.question, second.answer) == (answer, question)
    assert all(other.text for other in others[-1:])


PROSE = [f"Waited {n} minutes for cold fries" for n in range(20)]


@pytest.mark.parametrize(
    "columns",
    [
        {
            "id": range(20),
            "title": PROSE,
            "is_archived": [True, False] * 10,
            "created_at": range(1_700_000_000, 1_700_000_020),
        },
        {"is_user": [True, False] * 10, "is_system": [False] * 20},
        {"text": PROSE, "role": ["user", "assistant"] * 10},
        {"name": ["Mia", "Captain Ruth"] * 10, "is_user": [True, False] * 10, "mes": PROSE},
        {"Author": ["Mia", "Tom"] * 10, "Date": ["2026-03-01T10:00:00"] * 20, "Content": PROSE},
        {"message": PROSE, "Speaker": ["Mia", "Tom"] * 10},
        {"createdAt": ["2026-03-01T10:00:00Z"] * 20, "price": ["9,99 €"] * 20, "link": ["https://example.org/a"] * 20},
        {"userId": [f"u-{n}" for n in range(20)], "hash": [f"{n:040x}" for n in range(20)]},
        {"amount": [n / 2 for n in range(20)], "day": ["March 1, 2026"] * 20, "active": ["yes", "no"] * 10},
    ],
    ids=lambda columns: "-".join(columns),
)
def test_ids_dates_flags_roles_and_numbers_are_never_proposed(columns: dict[str, Any]) -> None:
    error = ask_for_columns([dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)])
    assert error is not None
    assert error.question.choices == []
    assert [column.name for column in error.question.columns] == list(columns)
    assert "none looks like a question with its answer" in error.message


def test_what_is_not_proposed_can_be_said(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[Any] = [{"title": text, "is_archived": n % 2 == 0} for n, text in enumerate(PROSE)]
    path = jsonl(tmp_path, rows)
    with pytest.raises(UnclearError, match=r"title \(texts\), is_archived \(yes or no\)"):
        inspect_dataset(path, smollm2_card)
    said = Mapping(question="title", answer="is_archived")
    assert inspect_dataset(path, smollm2_card, mapping=said).rows == len(rows)


@pytest.mark.parametrize(
    "labels", ["01", "0123", ["good", "bad"], ["yes", "no"], ["true", "false"], ["1.0", "0.0"], ["Ja", "nein"]]
)
def test_labels_beside_a_text_are_learned_as_they_are_written(
    tmp_path: Path, labels: list[str], smollm2_card: BaseModelCard
) -> None:
    rows = [(text, labels[n % len(labels)]) for n, text in enumerate(PROSE)]
    as_csv = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
    path = tmp_path / "rows.csv"
    path.write_text(as_csv)
    read = chat_rows(find_reading(path), ChatTemplate(smollm2_card), Drops())
    assert [(row.messages[0].content, row.messages[1].content) for row in read] == rows


@pytest.mark.parametrize(
    ("label", "learned"), [(0, "0"), (1, "1"), (True, "true"), (False, "false"), (1.0, "1.0"), ("1", "1")]
)
def test_labels_in_json_are_learned_as_they_are_written(tmp_path: Path, label: object, learned: str) -> None:
    path = jsonl(tmp_path, [{"text": text, "label": label} for text in PROSE])
    row = next(read_rows(path, mapping=Mapping(question="text", answer="label")))
    assert row.value == {"question": PROSE[0], "answer": learned}


@pytest.mark.parametrize("values", [(0, 1), (True, False), ("good", "bad"), ("a", "b")])
def test_a_label_beside_a_question_and_its_answer_is_asked_about_before_a_row_is_lost(
    tmp_path: Path, values: tuple[object, object], smollm2_card: BaseModelCard
) -> None:
    rows: list[Any] = [
        {"Question": text, "answer": f"So: {text}", "Label": values[n % 2]} for n, text in enumerate(PROSE)
    ]
    path = jsonl(tmp_path, rows)
    with pytest.raises(UnclearError, match="Beside Question and answer stands Label") as asked:
        inspect_dataset(path, smollm2_card)
    question = asked.value.question
    assert question.label == "Label"
    assert [choice.mapping for choice in question.choices] == [
        Mapping(question="Question", answer="answer"), Mapping(question="Question", answer="Label"),
    ]  # fmt: skip
    for choice in question.choices:
        found = inspect_dataset(path, smollm2_card, mapping=choice.mapping)
        assert (found.rows, found.dropped_count) == (len(rows), 0)


def test_a_label_that_is_no_yes_or_no_beside_a_prompt_is_asked_about_and_stays_as_it_is(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [{"prompt": text, "completion": "So.", "label": n % 3} for n, text in enumerate(PROSE)])
    with pytest.raises(UnclearError, match="Beside prompt and completion stands label") as asked:
        find_reading(path)
    learned = [(row.value or {})["answer"] for row in read_rows(path, mapping=asked.value.question.choices[1].mapping)]
    assert learned[:4] == ["0", "1", "2", "0"]


def test_one_column_of_prose_is_proposed_as_text_and_numbers_as_nothing() -> None:
    error = ask_for_columns([{"id": n, "story": f"Once upon a time, {n} cats"} for n in range(3)])
    assert error is not None
    assert [choice.mapping for choice in error.question.choices] == [Mapping(text="story")]
    assert ask_for_columns([{"a": None, "b": [1]}]) is None


def test_the_question_shows_three_rows_masked_as_the_model_would_see_them(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    with pytest.raises(
        UnclearError, match=r'ticket_id, Kunde, Unsere Antwort do not say.*"question":"Kunde"'
    ) as caught:
        inspect_dataset(jsonl(tmp_path, TICKETS), smollm2_card)
    question = caught.value.question
    examples = question.choices[0].examples
    assert [example.line for example in examples] == [1, 2, 3]
    trained = [text for text, is_trained in examples[0].parts if is_trained]
    assert trained == ["Es ist bei Nummer 0, [e-mail].<|im_end|>"]
    assert "x.org" not in question.model_dump_json()


@pytest.mark.process
async def test_the_limited_child_asks_too(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    request = InspectRequest(dataset=str(jsonl(tmp_path, TICKETS)), card=smollm2_card)
    reply = await ask_child(request)
    assert reply.question is not None
    assert reply.question.choices[0].mapping == READ
    assert reply.error is not None
    assert reply.error.code == "dataset_unclear"


def test_rows_are_read_as_said_and_a_mended_copy_says_it_by_itself(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = jsonl(tmp_path, [*TICKETS, {"Kunde": "Hallo?"}, {"Kunde": 5, "Unsere Antwort": True}])
    findings = inspect_dataset(path, smollm2_card, mapping=READ)
    assert (findings.form, findings.rows) == (DatasetForm.question_answer, 13)
    assert findings.dropped[0].reason == "Line 13 has no text in `Unsere Antwort`."
    output = tmp_path / "mended"
    mend(find_reading(path, READ), smollm2_card, [Fix.redact], output, 1 << 20, lambda _rows, _bytes: None)
    first, *_others, last = [json.loads(line) for line in output.read_text().splitlines()]
    assert first == {"question": "Wo ist Paket 0?", "answer": "Es ist bei Nummer 0, [e-mail].", "ticket_id": 100}
    assert last == {"question": "5", "answer": "true"}
    assert find_reading(output).form is DatasetForm.question_answer


def test_a_context_belongs_to_the_question_and_what_is_not_used_is_named(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    more = {"Notiz": "Bitte freundlich."}
    data: list[object] = [row | more | {"Kontext": f"Lager {n}, Regal 2."} for n, row in enumerate(TICKETS)]
    path = jsonl(tmp_path, data)
    row = next(chat_rows(find_reading(path, READ), ChatTemplate(smollm2_card), Drops()))
    assert row.messages[0].content == "Wo ist Paket 0?\n\nLager 0, Regal 2."
    found = {finding.code: finding for finding in inspect_dataset(path, smollm2_card, mapping=READ).findings}
    assert "`Notiz`" in found[FindingCode.unread_columns].message
    assert "Kontext" not in found[FindingCode.unread_columns].message


def test_names_are_found_however_they_are_typed_and_what_is_not_there_is_said(tmp_path: Path) -> None:
    path = jsonl(tmp_path, TICKETS)
    typed = Mapping(question="kunde", answer="unsere_antwort", system="ticket id")
    row = next(read_rows(path, mapping=typed)).value
    assert row == {"system": "100", "question": TICKETS[0]["Kunde"], "answer": TICKETS[0]["Unsere Antwort"]}
    with pytest.raises(AgentError, match=r"no column “Frage” for `question`. There are: ticket_id, Kunde"):
        next(read_rows(path, mapping=Mapping(question="Frage", answer="Kunde")))
    with pytest.raises(AgentError, match="no chat export"):
        next(read_rows(path, mapping=Mapping(assistant="Mia")))


@pytest.mark.parametrize(
    "mapping",
    [
        {"question": "a"},
        {"answer": "b"},
        {"question": "a", "answer": "a"},
        {"text": "a", "assistant": "Mia"},
        {"system": "a", "text": "b"},
        {"assistant": "Mia", "without": ["Mia"]},
        {"colour": "blue"},
        {},
    ],
)
def test_a_mapping_is_closed_and_goes_together(mapping: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Mapping.model_validate(mapping)


def test_a_first_line_with_personal_data_is_no_name_of_a_column() -> None:
    rows = [
        {"mia@example.org": f"Where is {n}?", "Answer it": f"At {n}, or so.", "Ask it": f"And {n}?"} for n in range(9)
    ]
    asked = ask_for_columns(rows)
    assert asked is not None
    assert [column.name for column in asked.question.columns] == ["Answer it", "Ask it"]
    assert "mia@" not in asked.message
