"""JSON as people write it becomes the rows that it means, or a sentence that says where it breaks."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas
import pytest

from agent.data.readers.brackets import Brackets
from agent.data.readers.formats import read_rows
from agent.data.readers.json_text import parse_values
from agent.data.reading import find_reading
from agent.errors import AgentError
from shared.inspections import DatasetForm
from tests.agent.data.test_formats import written

ROWS: list[dict[str, Any]] = [
    {"prompt": f"Is {n} “small”?", "completion": f'It\'s {{small}}, [or] not:\n\t"{n}", // no, 😀.'} for n in range(4)
]
LINES = [json.dumps(row) for row in ROWS]
PRETTY = [json.dumps(row, indent=2) for row in ROWS]
AT_MARGIN = [json.dumps(row, indent=0) for row in ROWS]
PRINTED = [repr(row) for row in ROWS]
FRAME = pandas.DataFrame(ROWS)


def read(path: Path, content: str | bytes) -> list[Any]:
    return [row.value for row in read_rows(written(path, content))]


@pytest.mark.parametrize(
    "content",
    [
        ",\n".join(LINES),
        ",\n".join(LINES) + ",\n",
        "[" + ",\n".join(LINES) + ",]",
        "[" + ",".join(line[:-1] + ",}" for line in LINES) + "\n]\n",
        "\n".join(line[:-1] + ", }" for line in LINES),
        "\n".join(PRETTY),
        ",\n".join(PRETTY),
        "".join(PRETTY),
        "\n\n".join(AT_MARGIN),
        ",".join(AT_MARGIN),
        "".join(LINES),
        " ".join(LINES[:2]) + "\n" + ", ".join(LINES[2:]),
        "[\n" + ",\n".join(LINES[:2]) + "\n]\n[\n" + ",\n".join(LINES[2:]) + "\n]\n",
        f"[{LINES[0]}, {LINES[1]}]\n[{LINES[2]}, {LINES[3]}]\n",
        "\n".join(json.dumps(line) for line in LINES),
        json.dumps("[" + ",".join(LINES) + "]"),
        json.dumps([json.dumps(row) for row in ROWS]),
        "```json\n" + "\n".join(LINES) + "\n```\n",
        "```\n[" + ",\n".join(LINES) + "]\n```",
        "```json\n" + json.dumps({"data": ROWS}, indent=1) + "\n```",
        "\r".join(LINES),
        "\r".join(PRETTY) + "\r",
        "\ufeff" + "\r".join(LINES),
        ("\ufeff" + "\r".join(LINES)).encode("utf-16-le"),
        ("\ufeff" + ",\r\n".join(PRETTY)).encode("utf-16-be"),
        "\n".join(PRINTED),
        ",\n".join(PRINTED),
        repr(ROWS),
        "[" + ",\n".join(PRINTED) + ",\n]",
        "\n".join(f"{line} // {n}" for n, line in enumerate(LINES)),
        f"// rows\n{LINES[0]}\n" + "\n".join(LINES[1:]),
        *(FRAME.to_json(orient=orient) for orient in ("columns", "records", "index", "split", "table")),
        FRAME.to_json(orient="records", lines=True),
        FRAME.to_json(orient="columns", indent=2),
        json.dumps(FRAME.to_dict(orient="list")),
        repr(FRAME.to_dict(orient="list")),
        json.dumps({"version": 1, "data": FRAME.to_dict()}),
        "\n".join(line.replace("\\n", "\n") for line in LINES),
        json.dumps(ROWS).replace("\\n", "\n"),
        json.dumps([list(ROWS[0]), *(list(row.values()) for row in ROWS)]),
    ],
)
def test_rows_are_read_however_json_was_written(tmp_path: Path, content: str | bytes) -> None:
    rows = [{key: cell for key, cell in row.items() if key != "index"} for row in read(tmp_path, content)]
    assert rows == ROWS


def test_a_question_may_be_the_key_of_its_answer(tmp_path: Path) -> None:
    answers = {"How long does an egg boil?": "Six minutes.", "Which knot holds?": "A bowline.", "Why?": "So."}
    rows = [{"question": question, "answer": answer} for question, answer in answers.items()]
    for content in (json.dumps(answers), json.dumps(answers, indent=1), repr(answers)):
        assert read(tmp_path, content) == rows
    one_each = [json.dumps({question: answer}) for question, answer in answers.items()]
    for content in ("\n".join(one_each), f"[{','.join(one_each)}]", json.dumps({"faq": answers})):
        assert read(tmp_path, content) == rows
    under = {question: {"answer": answer, "lang": "en"} for question, answer in answers.items()}
    assert read(tmp_path, json.dumps(under)) == [row | {"lang": "en"} for row in rows]


def test_one_row_is_one_row_however_its_cells_are(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    for row in (ROWS[0], {"messages": turns}, {"prompt": turns[:1], "completion": turns[1:]}):
        assert read(tmp_path, json.dumps(row)) == [row]
        assert read(tmp_path, json.dumps(row, indent=1)) == [row]


def test_lists_of_cells_have_columns_that_a_person_can_name(tmp_path: Path) -> None:
    rows = FRAME.to_json(orient="values")
    named = [dict(zip(("column 1", "column 2"), row.values(), strict=True)) for row in ROWS]
    assert read(tmp_path, rows) == read(tmp_path, rows[1:-1].replace("],[", "]\n[")) == named


@pytest.mark.parametrize("nothing", ["NaN", "Infinity", "-Infinity", "nan", "None", "null"])
def test_what_is_no_number_is_an_empty_cell(tmp_path: Path, nothing: str) -> None:
    line = f'{{"instruction": "Hi", "input": {nothing}, "output": "Ho"}}'
    path = written(tmp_path, f"{line}\n" * 12)
    assert [row.value for row in read_rows(path)] == [{"instruction": "Hi", "input": None, "output": "Ho"}] * 12
    assert find_reading(path).form is DatasetForm.alpaca


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('{"prompt": "a" "completion": "b"}', 'unexpected " at column 16'),
        ('{"prompt": a, "completion": "b"}', "unexpected a at column 12"),
        ('{"prompt": "a", "completion": "b"', "a bracket or a quote is not closed"),
        ("{'prompt': None, 'completion': b}", "unexpected b at column 32"),
        ("no JSON", "unexpected n at column 1"),
        ('{"a": 1} and more', "unexpected a at column 10"),
    ],
)
def test_a_line_that_breaks_says_where_and_the_others_are_kept(tmp_path: Path, bad: str, words: str) -> None:
    rows = list(read_rows(written(tmp_path, "\n".join([*LINES[:2], bad, *LINES[2:]]))))
    assert [(row.line, row.value is None) for row in rows] == [(n, n == 3) for n in range(1, 6)]
    assert words in (rows[2].problem or "")


def test_a_row_over_many_lines_that_breaks_costs_itself_alone(tmp_path: Path) -> None:
    broken = PRETTY[1].replace('",', '"')
    rows = list(read_rows(written(tmp_path, "\n".join([PRETTY[0], broken, PRETTY[1][:-1], *PRETTY[2:]]))))
    assert [row.value for row in rows if row.value] == [ROWS[0], *ROWS[2:]]
    assert [(row.line, row.problem) for row in rows if row.value is None] == [
        (5, 'begins a row that is not valid JSON (unexpected " at line 7, column 3)'),
        (9, "begins a row that is not valid JSON (a bracket or a quote is not closed at line 11, column 73)"),
    ]


def test_a_list_that_breaks_says_its_line_and_column(tmp_path: Path) -> None:
    content = "[" + ",\n".join([*LINES[:2], "{'prompt': None, 'completion': }"]) + "]"
    with pytest.raises(AgentError, match=r"line 3, column 32: unexpected }"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "piece", ['"', "'", "\\", '"\\', "/*", "//", "{", "[", "}", "'\"", '/*"', '{"a":', "{'a':None,"]
)
def test_whatever_is_not_closed_is_read_in_one_pass(piece: str) -> None:
    def computed_s(chars: int) -> float:
        text = piece * (chars // len(piece))
        started = time.thread_time()  # waiting for other processes does not count
        Brackets().feed(text)
        with suppress(AgentError, json.JSONDecodeError):
            parse_values(text)
        return time.thread_time() - started

    assert computed_s(400_000) < 8 * computed_s(100_000) + 0.2  # 16 times, were it by the square


def test_what_python_prints_means_the_same() -> None:
    texts = [f'it\'s {n} "x"\n\\U0001f600 None \U000e0067' for n in range(9)]
    rows = [{"a": text, "b": None, "c": [True, -1.5]} for text in texts]
    assert parse_values(repr([row | {"c": (True, -1.5)} for row in rows])) == [rows]
    with pytest.raises(json.JSONDecodeError):
        parse_values(repr([{1: text} for text in texts]))
