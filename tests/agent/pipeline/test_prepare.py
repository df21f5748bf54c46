"""What becomes of rows that need a word on how they are read: the trainer means the same as the card."""

import json
import tracemalloc
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.data.inspect import inspect_dataset
from agent.data.turns import Message
from agent.job_folder.folder import JobFolder
from agent.pipeline import token_rows
from agent.pipeline.context import Cancelled
from agent.pipeline.prepare import read_character, read_held_out
from agent.pipeline.token_rows import TokenRow, read_rows
from shared.inspections import DatasetForm
from shared.mapping import Mapping
from tests.agent.data.test_chat_exports import discord
from tests.agent.data.test_columns import READ, TICKETS
from tests.agent.data.test_plain_text import BOOK
from tests.agent.pipeline.preparing import new_job, prepare_rows

MESSAGES = [
    it | {"content": f"{it['content']} {n}"} for n in range(12) for it in discord()["messages"] if it["content"]
]


def prepared(
    tmp_path: Path, card: BaseModelCard, content: str, form: DatasetForm, mapping: Mapping | None, max_length: int = 128
) -> JobFolder:
    """Return the folder of a job whose rows have become tokens."""
    dataset = tmp_path / "data"
    dataset.write_text(content, encoding="utf-8")
    folder = new_job(tmp_path, dataset, card, form, mapping, max_length)
    prepare_rows(folder)
    return folder


def all_rows(folder: JobFolder) -> list[TokenRow]:
    return [row for part in ("train", "validation", "test") for row in read_rows(folder, part)]


@pytest.mark.parametrize(
    ("content", "form", "mapping"),
    [
        (json.dumps(TICKETS), DatasetForm.question_answer, READ),
        (json.dumps([{"story": text} for text in BOOK.split("\n\n")[1:30]]), DatasetForm.text, Mapping(text="story")),
        (
            json.dumps(discord() | {"messages": MESSAGES}),
            DatasetForm.messages,
            Mapping(assistant="Ada Berg", without=("Tom",)),
        ),
    ],
    ids=["columns", "column of text", "chat export"],
)
def test_the_trainer_reads_the_rows_that_the_card_counts(
    tmp_path: Path, smollm2_card: BaseModelCard, content: str, form: DatasetForm, mapping: Mapping
) -> None:
    folder = prepared(tmp_path, smollm2_card, content, form, mapping)
    rows = all_rows(folder)
    findings = inspect_dataset(tmp_path / "data", smollm2_card, mapping=mapping)
    assert (findings.form, findings.rows) == (form, len(rows))
    assert findings.tokens.trained == sum(label != -100 for row in rows for label in row.labels)
    assert "Tom" not in " ".join(prompt.question for prompt in read_held_out(folder))


def test_a_text_is_learned_whole_also_with_a_short_max_length(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    folder = prepared(tmp_path, smollm2_card, BOOK, DatasetForm.text, None, max_length=64)
    rows = all_rows(folder)
    assert max(len(row.input_ids) for row in rows) <= 64
    assert all(row.labels == row.input_ids for row in rows)
    findings = inspect_dataset(tmp_path / "data", smollm2_card)
    assert sum(len(row.input_ids) for row in rows) == findings.tokens.total
    prompts = read_held_out(folder)
    assert all(BOOK.find(prompt.question.strip()) >= 0 and prompt.expected for prompt in prompts)
    assert max(prompt.expected_tokens for prompt in prompts) < 200


def test_rows_that_are_nearly_the_same_stay_on_one_side(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    words = [f"{number}a {number}b {number}c {number}d {number}e {number}f" for number in range(600)]
    texts = [" ".join(words[10 * number : 10 * number + 10]) for number in range(60)]
    rows = [{"prompt": "Tell", "completion": f"{text}{end}"} for text in texts for end in ("", " indeed")]
    content = "".join(f"{json.dumps(row)}\n" for row in rows)
    folder = prepared(tmp_path, smollm2_card, content, DatasetForm.prompt_completion, None, max_length=1024)
    train, *held_out = [read_rows(folder, part) for part in ("train", "validation", "test")]
    assert [len(train), *map(len, held_out)] == [96, 12, 12]
    begins = {tuple(row.input_ids[:60]) for row in train}
    assert not [row for part in held_out for row in part if tuple(row.input_ids[:60]) in begins]


def peak_bytes(tmp_path: Path, card: BaseModelCard, rows: int) -> int:
    answer = " ".join(["A word and another one"] * 30)
    lines = [json.dumps({"prompt": f"Number {number}?", "completion": f"{number}: {answer}"}) for number in range(rows)]
    tmp_path.mkdir()
    tracemalloc.start()
    try:
        prepared(tmp_path, card, "\n".join(lines), DatasetForm.prompt_completion, None, max_length=512)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_row_more_takes_little_more_memory(
    tmp_path: Path, smollm2_card: BaseModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_rows, "BLOCK_TOKENS", 4096)
    few, many = (peak_bytes(tmp_path / str(rows), smollm2_card, rows) for rows in (600, 1800))
    assert (many - few) / 1200 < 4000  # 2,000 by the text that this test holds; rows held as tokens take 23,000


def test_a_cancelled_preparation_ends_at_once(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    folder = prepared(tmp_path, smollm2_card, BOOK, DatasetForm.text, None)
    folder.cancel_request.touch()
    with pytest.raises(Cancelled):
        prepare_rows(folder)


def test_a_character_that_a_person_gave_becomes_the_models_own(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    content = "\n".join(json.dumps({"prompt": f"Question {n}?", "completion": f"Answer {n}."}) for n in range(20))
    folder = prepared(
        tmp_path, smollm2_card, content, DatasetForm.prompt_completion, Mapping(character="You are Ruth.")
    )
    assert read_character(folder).system == "You are Ruth."
    talk = [Message(role="system", content="You are Ruth."), Message(role="user", content="Question 3?")]
    begin = ChatTemplate(smollm2_card).tokenize_prompt(talk)
    assert any(row.input_ids[: len(begin)] == begin for row in all_rows(folder))
    for prompt in read_held_out(folder):
        assert [message["role"] for message in prompt.messages] == ["user"]  # the model tells itself who it is
        assert prompt.base_prompt_ids != prompt.prompt_ids
