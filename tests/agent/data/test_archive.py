"""Of a zip archive the dataset is read, whatever lies beside it, and what was taken is said."""

import json
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.inspect import inspect_dataset
from agent.data.readers.containers import ReadSoFar
from agent.data.readers.count import has_more_lines
from agent.data.readers.formats import read_rows
from agent.data.reading import find_reading
from agent.errors import AgentError
from shared.inspections import DatasetForm, FindingCode
from tests.agent.data.test_containers import JSONL, ROWS, as_parquet, zipped
from tests.agent.data.test_formats import written
from tests.fakes.workbooks import xlsx

CSV = b"prompt,completion\n" + "".join(f'{row["prompt"]},"{row["completion"]}"\n' for row in ROWS).encode()
BOOK = xlsx({"A": [list(ROWS[0]), *(list(row.values()) for row in ROWS)]})
OTHER = b'{"prompt": "Held out", "completion": "Not learned"}\n'


@pytest.mark.parametrize(
    "files",
    [
        [("rows.jsonl", JSONL), ("a.png", b"\x89PNG"), ("guide.pdf", b"%PDF"), ("notes.txt", b"A note.")],
        [
            ("set/rows.csv", CSV),
            ("set/README.md", b"# Set"),
            ("set/LICENSE", b"Free"),
            ("set/dataset_infos.json", b"{}"),
        ],
        [("rows.xlsx", BOOK), ("guide.docx", b"PK")],
        [("__MACOSX/._rows.jsonl", b"\x00"), (".DS_Store", b"\x00"), ("a/.git/x.json", b"{}"), ("rows.jsonl", JSONL)],
        [("data/train.jsonl", JSONL), ("data/test.jsonl", OTHER), ("data/validation.jsonl", OTHER)],
        [("train-v2.0.json", json.dumps(ROWS).encode()), ("dev-v2.0.json", OTHER)],
        [("train/rows.csv", CSV), ("test/rows.csv", b"prompt,completion\na,b\n")],
        [("data/train-00000-of-00001.parquet", as_parquet()), ("data/test-00000-of-00001.parquet", as_parquet())],
        [("rows.jsonl", JSONL), ("rows_test.jsonl", OTHER)],
    ],
)
def test_the_dataset_is_read_and_nothing_beside_it(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    meter = ReadSoFar()
    assert [row.value for row in read_rows(written(tmp_path, zipped(*files)), meter)] == ROWS
    beside = [name for name, _content in files if not name.startswith(("__MACOSX", ".", "a/."))]
    assert (meter.part is not None) == (len(beside) > 1)
    assert meter.part is None or len(meter.part.left) == len(beside) - 1


def test_parts_of_one_dataset_are_read_one_behind_the_other(tmp_path: Path) -> None:
    half = len(ROWS) // 2
    parts = [
        b"".join(line + b"\n" for line in lines) for lines in (JSONL.split(b"\n")[:half], JSONL.split(b"\n")[half:-1])
    ]
    tables = [CSV.splitlines(keepends=True)[0] + part for part in (CSV[18:], b"")]
    for kind, contents in (("jsonl", parts), ("csv", tables)):
        files = [(f"train-{n}-of-2.{kind}", content) for n, content in enumerate(contents)]
        path = written(tmp_path, zipped(*files))
        assert [row.value for row in read_rows(path)] == ROWS
        assert has_more_lines(path, len(ROWS) - 1)


def test_many_texts_are_all_read_as_texts(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    texts = {f"notes/{n}.md": f"# Shelf {n}\n\nIt holds jars, pans, and {n} lids. Red, green, blue." for n in range(30)}
    files = [(name, text.encode()) for name, text in texts.items()]
    path = written(tmp_path, zipped(*files, ("empty.txt", b""), ("a.png", b"\x89PNG")))
    assert [(row.value or {})["text"] for row in read_rows(path)] == list(texts.values())
    assert find_reading(path).form is DatasetForm.text
    found = inspect_dataset(path, smollm2_card)
    told = next(it.message for it in found.findings if it.code is FindingCode.part_read)
    assert told == ("Read: “notes/0.md”, “notes/1.md”, “notes/2.md”, and 27 more. Left out: “empty.txt”, “a.png”.")


def test_what_was_taken_is_said(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = written(tmp_path, zipped(("data/train.jsonl", JSONL), ("data/test.jsonl", OTHER), ("README.md", b"# set")))
    found = inspect_dataset(path, smollm2_card)
    assert "Read: “data/train.jsonl”. Left out: “data/test.jsonl”, “README.md”." in found.notes


@pytest.mark.parametrize(
    "names", [("a.jsonl", "b.jsonl"), ("de/train.jsonl", "en/train.jsonl"), ("a.png", "b.png"), ("a.csv", "b.json")]
)
def test_what_is_not_clear_is_asked_for(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(AgentError, match=r"holds 2 files \(.*it is not clear which is the dataset"):
        list(read_rows(written(tmp_path, zipped(*((name, JSONL) for name in names)))))


def test_a_chat_beside_its_media_is_a_chat(tmp_path: Path) -> None:
    chat = "".join(f"[01.03.26, 10:{n:02}:00] {'Mia' if n % 2 else 'Tom'}: Line {n}\n" for n in range(30))
    path = written(
        tmp_path, zipped(("_chat.txt", chat.encode()), ("0001-PHOTO.jpg", b"\xff\xd8\xff"), ("2.opus", b"O"))
    )
    with pytest.raises(AgentError, match="This is a chat of"):
        find_reading(path)
