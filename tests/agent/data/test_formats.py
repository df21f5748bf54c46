import json
from pathlib import Path

import pytest

from agent.data.readers.containers import ReadSoFar
from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from shared.errors import ErrorCode

ROW = {"prompt": "Hi", "completion": "Hello, “you”"}


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "data.bin"  # the name says nothing: the content is what counts
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ROW, ROW]),
        json.dumps([ROW, ROW], indent=2),
        f"{json.dumps(ROW)}\n\n{json.dumps(ROW)}\n",
        "\ufeff" + f"{json.dumps(ROW)}\n{json.dumps(ROW)}",
        json.dumps({"data": [ROW, ROW]}, indent=1),
        json.dumps({"rows": [ROW, ROW]}),
        'prompt,completion\nHi,"Hello, “you”"\nHi,"Hello, “you”"\n',
        "prompt\tcompletion\nHi\tHello, “you”\nHi\tHello, “you”\n",
        "prompt;completion\nHi;Hello, “you”\nHi;Hello, “you”\n",
        json.dumps({"version": 2, "train": [ROW, ROW]}),
        json.dumps({"name": "x", "things": [ROW, ROW]}),
        json.dumps({"train": [ROW], "test": [ROW]}),
        json.dumps({"data": {"train": [ROW], "validation": [ROW]}}),
        json.dumps({"features": [], "rows": [{"row_idx": n, "row": ROW, "truncated_cells": []} for n in range(2)]}),
    ],
)
def test_the_same_rows_are_read_from_every_container(tmp_path: Path, content: str) -> None:
    assert [row.value for row in read_rows(written(tmp_path, content))] == [ROW, ROW]


TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
TALK = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]


@pytest.mark.parametrize(("talk", "key"), [(TURNS, "messages"), (TALK, "conversations")])
def test_a_talk_may_be_a_bare_list_of_turns(tmp_path: Path, talk: list[dict[str, str]], key: str) -> None:
    for content in (f"{json.dumps(talk)}\n{json.dumps(talk)}\n", json.dumps([talk, talk])):
        assert [row.value for row in read_rows(written(tmp_path, content))] == [{key: talk}, {key: talk}]


def test_a_broken_line_of_jsonl_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    rows = list(read_rows(written(tmp_path, f'{json.dumps(ROW)}\n{{"prompt": \n{json.dumps(ROW)}\n')))
    assert [row.line for row in rows if row.value is None] == [2]
    assert "not valid JSON" in (rows[1].problem or "")
    assert len([row for row in rows if row.value]) == 2


@pytest.mark.parametrize(
    "bad", ['{"a": 1, "a": 2}', "{'a': 1, 'a': 2}", "{'a': None, 'a': 2}", '{"a": ' + "9" * 5000 + "}"]
)
def test_what_json_does_not_allow_is_a_problem_of_its_line(tmp_path: Path, bad: str) -> None:
    rows = list(read_rows(written(tmp_path, f"{json.dumps(ROW)}\n{bad}\n")))
    assert rows[1].value is None


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", ErrorCode.dataset_empty, "empty"),
        ("   \n \n", ErrorCode.dataset_empty, "empty"),
        (b"\x80\x04\x95pickle", ErrorCode.dataset_not_text, "a pickle"),
        (b"PK\x03\x04zip", ErrorCode.dataset_broken, "The zip archive is broken"),
        (b"BZh91AY", ErrorCode.dataset_not_text, "a bzip2 archive"),
        (b"a,b\x00\n", ErrorCode.dataset_not_text, "not text"),
        (b"PAR1 and nothing else", ErrorCode.dataset_broken, "The Parquet file cannot be read"),
        (b'{"prompt": "caf\xe9 cr\xe8me", "completion": "x"}', ErrorCode.dataset_not_text, "Line 1 is not UTF-8"),
        ('[{"a": 1},\n{"b": }]', ErrorCode.dataset_broken, "line 2"),
        ("[" * 100_000, ErrorCode.dataset_broken, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_and_where(
    tmp_path: Path, content: str | bytes, code: ErrorCode, words: str
) -> None:
    with pytest.raises(AgentError, match=words) as caught:
        list(read_rows(written(tmp_path, content)))
    assert caught.value.code is code


GERMAN = [
    {"frage": f"Wo ist Tür {n}?", "antwort": f"„Tür {n}“ liegt gegenüber der Straße, für 5 € Gebühr, höchstens."}
    for n in range(300)
]


def as_csv(rows: list[dict[str, str]], mark: str) -> str:
    lines = [mark.join(rows[0]), *(mark.join(f'"{value}"' for value in row.values()) for row in rows)]
    return "\r\n".join([*lines, ""])


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15", "cp850", "mac-roman"])
def test_a_file_of_another_encoding_is_converted_where_it_is_certain(tmp_path: Path, encoding: str) -> None:
    def typed(text: str) -> str:
        return text.encode(encoding, "ignore").decode(encoding)  # not all have quotes, or a euro

    rows = [{key: typed(value) for key, value in row.items()} for row in GERMAN]
    jsonl = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    texts = (jsonl, as_csv(rows, ";"), json.dumps(rows, ensure_ascii=False, indent=1))
    for text in texts:
        meter = ReadSoFar()
        read = list(read_rows(written(tmp_path, text.encode(encoding)), meter))
        assert [row.value for row in read] == rows
        assert meter.encoding is not None
        assert "ü".encode(meter.encoding) == "ü".encode(encoding)


@pytest.mark.parametrize(
    "text",
    ["Где находится магазин? Он там.", "Πού είναι το κατάστημα;", "店はどこですか。角を曲がったところです"],
)
def test_what_may_be_another_encoding_is_refused(tmp_path: Path, text: str) -> None:
    encoding = {"Г": "cp1251", "Π": "cp1253", "店": "shift-jis"}[text[0]]
    rows = "".join(json.dumps({"text": f"{text} {n}"}, ensure_ascii=False) + "\n" for n in range(30))
    with pytest.raises(AgentError, match="Line 1 is not UTF-8 text"):
        list(read_rows(written(tmp_path, rows.encode(encoding))))


@pytest.mark.parametrize("bad", [b"caf\xe9", b"\xff\xfe", b"\xc3"])
def test_a_few_lines_that_are_not_utf8_are_dropped_one_by_one(tmp_path: Path, bad: bytes) -> None:
    lines = [json.dumps({"question": f"Q{n}", "answer": f"für {n}"}, ensure_ascii=False).encode() for n in range(12)]
    line = b'{"question": "Q", "answer": "' + bad + b'"}'
    table = [b"question,answer", *(f"Q{n},für {n}".encode() for n in range(12))]
    text = [b"A line, for once.", *(f"Ein Satz für {n}.".encode() for n in range(12))]
    whole = b"[" + b",\n".join([*lines, line]) + b"]"
    for content, at in (
        (b"\n".join([*lines[:5], line, *lines[5:]]), 6),
        (b"\n".join([*table[:5], b"Q," + bad, *table[5:]]), 6),
        (b"\n".join([*text[:5], bad, *text[5:]]), 6),
        (whole, 13),
    ):
        rows = list(read_rows(written(tmp_path, content)))
        reasons = [(row.line, row.problem) for row in rows if row.value is None]
        assert reasons == [(at, f"is not UTF-8 text (byte 0x{bad.lstrip(b'caf')[0]:02x})")]
        read = " ".join(str(row.value) for row in rows)
        assert [n for n in range(12) if f"für {n}" not in read] == []


def test_one_odd_byte_in_a_file_of_ascii_drops_its_line_alone(tmp_path: Path) -> None:
    lines = [f"Question {n},Answer {n}".encode() for n in range(500)]
    rows = list(read_rows(written(tmp_path, b"\n".join([b"question,answer", *lines, b"Where,At the caf\xe9"]))))
    assert [(row.line, row.problem) for row in rows if row.value is None] == [
        (502, "is not UTF-8 text (byte 0xe9)"),
    ]
    assert len(rows) == 501
