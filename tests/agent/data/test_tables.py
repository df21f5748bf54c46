"""Tables that are not quite right: what is kept, and what is said of the rest."""

from pathlib import Path

import pytest

from agent.data.readers.formats import read_rows
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode

GOOD = [f"what is {n},it is {n}" for n in range(60)]


def read(tmp_path: Path, *lines: str, header: str = "question,answer") -> list[RawRow]:
    path = tmp_path / "data"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return list(read_rows(path))


def problems(rows: list[RawRow]) -> dict[int, str | None]:
    return {row.line: row.problem for row in rows if row.value is None}


def test_a_row_with_more_cells_than_the_header_is_dropped_in_words(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD[0], "what is 1,it is 1, and more, commas", GOOD[2])
    assert problems(rows) == {3: "has 4 cells, and the header 2; put texts with commas into quotes"}
    assert [row.value for row in rows if row.value] == [
        {"question": "what is 0", "answer": "it is 0"},
        {"question": "what is 2", "answer": "it is 2"},
    ]


def test_empty_cells_behind_the_last_column_say_nothing(tmp_path: Path) -> None:
    rows = read(tmp_path, "q,a,,", "q,a", header="question,answer,,")
    assert [(row.value or {}).get("answer") for row in rows] == ["a", "a"]
    assert [row.value for row in read(tmp_path, "q,a,, ,")] == [{"question": "q", "answer": "a"}]


@pytest.mark.parametrize("header", ["question,answer,answer", "kunde,answer,answer"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(AgentError, match="2 columns called “answer”") as refused:
        read(tmp_path, "q,a,b", "q,a,b", header=header)
    assert refused.value.code is ErrorCode.dataset_broken


HAS = "has a broken quote; write a quote inside a text twice"
NEVER = "opens a quote that is never closed, so everything from there on is left out"
OPEN = '"broken, x'


@pytest.mark.parametrize("at", [0, 30, 59, 60])
def test_a_broken_quote_costs_its_row(tmp_path: Path, at: int) -> None:
    rows = read(tmp_path, *GOOD[:at], OPEN, *GOOD[at:])
    assert problems(rows) == {at + 2: HAS if at < 60 else NEVER}
    assert [(row.value or {})["answer"] for row in rows if row.value] == [f"it is {n}" for n in range(60)]


def test_a_broken_quote_in_the_header_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"broken near line 1\."):
        read(tmp_path, *GOOD, header='question,answer,"more')


def test_rows_with_quotes_are_kept_before_and_behind_a_broken_one(tmp_path: Path) -> None:
    quoted = [f'"what, {n}","it\nis ""{n}"""' for n in range(9)]
    rows = read(tmp_path, *quoted[:4], OPEN, *quoted[4:], 'a,"b"c', *quoted[:1])
    assert list(problems(rows).values()) == [HAS, HAS]
    assert list(problems(rows)) == [10, 21]
    assert [(row.value or {})["answer"] for row in rows if row.value] == [f'it\nis "{n}"' for n in [*range(9), 0]]


def test_a_text_with_a_broken_quote_is_dropped_to_its_end(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD[0], 'q,"one', 'says "hi" to, you', 'and, ends",', *GOOD[1:5])
    assert list(problems(rows)) == [3]
    assert "what follows up to line 5" in (problems(rows)[3] or "")
    assert len(rows) == 6


def test_a_text_whose_quote_never_closes_is_dropped_and_not_taken_for_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, *GOOD, 'q,"Dear Ada', "thank you", "and, or, so", "see you")
    assert problems(rows) == {62: NEVER}
    assert len(rows) == 61


def test_a_backslash_escapes_a_quote_where_the_table_does_not_read_otherwise(tmp_path: Path) -> None:
    lines = [r'"say \"hi\"","C:\n, \"he said"', r'"ends with \"a\"",b', '"over\nlines, \\"x\\"",b', r"C:\new,d"]
    rows = read(tmp_path, *lines)
    assert [list((row.value or {}).values()) for row in rows] == [
        ['say "hi"', r'C:\n, "he said'],
        ['ends with "a"', "b"],
        ['over\nlines, "x"', "b"],
        [r"C:\new", "d"],
    ]


def test_a_file_of_nothing_but_broken_quotes_ends_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.data.readers.records.READ_AGAIN", 1 << 20)
    with pytest.raises(AgentError, match=r"The table is broken near line \d+. Check the quotes"):
        read(tmp_path, *['a,"b"c', "x" * 1000] * 5000)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_the_line_by_which_excel_knows_the_delimiter_is_none_of_the_table(tmp_path: Path, first: str) -> None:
    rows = read(tmp_path, "frage;antwort", "Wo, bitte?;Dort, ja", "a;b;c", header=first)
    assert rows[0].value == {"frage": "Wo, bitte?", "antwort": "Dort, ja"}
    assert [(row.line, row.problem is None) for row in rows] == [(3, True), (4, False)]


def test_a_table_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    lines = [f"What is {n}?,It is {n}." for n in range(12)]
    rows = read(tmp_path, *lines[1:], header=lines[0])
    assert [row.value for row in rows] == [{"column 1": f"What is {n}?", "column 2": f"It is {n}."} for n in range(12)]


def test_questions_that_name_the_columns_of_a_form_are_a_header(tmp_path: Path) -> None:
    rows = read(tmp_path, "Ada,Toast with jam", "Mia,Two eggs", header="Who are you?,What do you eat")
    assert rows[0].value == {"Who are you?": "Ada", "What do you eat": "Toast with jam"}


@pytest.mark.parametrize("comment", ["# made by export.py", "// two rows,\n//  as JSONL\n", "\ufeff# 2024"])
def test_comments_above_jsonl_are_no_text(tmp_path: Path, comment: str) -> None:
    rows = read(tmp_path, '{"text": "a"}', "", '{"text": "b"}', "# not JSON", header=comment)
    assert [row.value for row in rows] == [{"text": "a"}, {"text": "b"}, None]
