"""Plain text and Markdown: told from tables, read in pieces, cut into passages, learned as a whole."""

import json
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.data.inspect import inspect_dataset
from agent.data.mend import mend
from agent.data.readers.formats import read_rows
from agent.data.readers.plain_text import PIECE_BYTES
from agent.data.reading import find_reading
from agent.data.usable_rows import Drops, chat_rows, kept_rows
from shared.inspections import DatasetForm, FindingCode, Fix
from shared.mapping import Mapping

PARAGRAPH = "Chapter {n}, in which the cat, who was {n} years old, slept. It slept well; it slept long, and then: food."
BOOK = "# A book\n\n" + "\n\n".join(PARAGRAPH.format(n=n) for n in range(400)) + "\n"


def saved(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "data"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        BOOK,
        "Dear Ada, thank you, and see you.\nYours, Mia, and Tom\n",
        "just a sentence",
        "Is it you, my dear?\nIs it so, my dear?\nIs it me, my dear?\n",
        "One, two, three\nand then it goes on without any of it\nand on, and on\n",
        "- a list; of things\n- and more; of them; indeed\n- last\n",
    ],
)
def test_plain_text_is_no_table(tmp_path: Path, content: str) -> None:
    path = saved(tmp_path, content)
    assert find_reading(path).form is DatasetForm.text
    assert "\n".join((row.value or {})["text"] for row in read_rows(path)).split() == content.split()


@pytest.mark.parametrize(
    "content", ["frage,antwort\nWo, bitte?,Dort\n", 'a;b\n"x; y";z\nq;w\n', "text,label\nGood,1\nBad,0\n"]
)
def test_a_table_with_unknown_names_is_still_a_table(tmp_path: Path, content: str) -> None:
    row = next(read_rows(saved(tmp_path, content.replace("Wo, bitte?", "Wo bitte?")))).value or {}
    assert len(row) == 2


def test_a_text_is_learned_whole_in_passages_that_end_well(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = saved(tmp_path, BOOK)
    findings = inspect_dataset(path, smollm2_card)
    assert findings.form is DatasetForm.text
    assert findings.tokens.trained == findings.tokens.total
    assert 30 <= findings.rows <= 50
    found = {finding.code for finding in findings.findings}
    assert found <= {FindingCode.few_rows, FindingCode.near_copies, FindingCode.exact_copies, FindingCode.leakage}
    assert "look things up (RAG)" in findings.right_tool[0].answer
    rows = list(chat_rows(find_reading(path), ChatTemplate(smollm2_card), Drops()))
    assert " ".join(row.messages[0].content for row in rows).split() == BOOK.split()
    assert all(row.messages[0].content.endswith("food.") for row in rows)
    assert BOOK.splitlines()[rows[5].line - 1].split()[:2] == rows[5].messages[0].content.split()[:2]


@pytest.mark.parametrize("text", ["word " * 30_000, "x" * 70_000, "猫" * 30_000, "a\n" * 40_000], ids=["words", "x", "cats", "lines"])  # fmt: skip  # noqa: E501
def test_a_text_without_an_end_is_cut_and_nothing_is_lost(
    tmp_path: Path, smollm2_card: BaseModelCard, text: str
) -> None:
    rows = list(kept_rows(find_reading(saved(tmp_path, text)), ChatTemplate(smollm2_card), Drops()))
    read = " ".join(row.messages[0].content for row in rows)
    assert "".join(read.split()) == "".join(text.split())
    assert max(len(row.tokens.input_ids) for row in rows) <= 2048


def test_pieces_end_between_characters(tmp_path: Path) -> None:
    text = "é" * (PIECE_BYTES + 7)
    assert "".join((row.value or {})["text"] for row in read_rows(saved(tmp_path, "\ufeff" + text))) == text


def test_rows_with_a_text_are_cut_where_they_are_long(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows = [{"text": BOOK, "url": "a"}, *({"text": f"Short one, number {n}", "url": "b"} for n in range(9))]
    path = saved(tmp_path, "\n".join(map(json.dumps, rows)))
    findings = inspect_dataset(path, smollm2_card)
    assert findings.form is DatasetForm.text
    assert findings.rows > 30
    output = tmp_path / "mended"
    mend(find_reading(path), smollm2_card, [Fix.trim], output, 1 << 20, lambda _rows, _bytes: None)
    assert find_reading(output).form is DatasetForm.text


def test_a_column_of_an_unclear_table_can_be_learned_as_text(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = saved(tmp_path, "\n".join(json.dumps({"story": f"{n} {BOOK[:600]}", "n": n}) for n in range(12)))
    assert inspect_dataset(path, smollm2_card, mapping=Mapping(text="story")).form is DatasetForm.text


def test_a_list_of_texts_and_a_single_column_are_texts(tmp_path: Path) -> None:
    for content in (json.dumps(["One text", "Another"]), "text\nOne text\nAnother\n"):
        assert [row.value for row in read_rows(saved(tmp_path, content))] == [{"text": "One text"}, {"text": "Another"}]
