"""Tables that are not quite right: what is kept, and what is said of the rest."""

from pathlib import Path

import pytest

from agent.data.reading.formats import read_rows
from agent.data.reading.raw_row import RawRow
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
    assert problems(rows) == {3: "has 4 cells, and the header 2; put a text with commas in it into quotes"}
    assert [row.value for row in rows if row.value] == [
        {"question": "what is 0", "answer": "it is 0"},
        {"question": "what is 2", "answer": "it is 2"},
    ]


def test_empty_cells_behind_the_last_column_say_nothing(tmp_path: Path) -> None:
    rows = read(tmp_path, "q,a,,", "q,a", header="question,answer,,")
    assert [(row.value or {}).get("answer") for row in rows] == ["a", "a"]
    assert [row.value for row in read(tmp_path, "q,a,, ,")] == [{"question": "q", "answer": "a"}]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="2 columns called “answer”") as refused:
        read(tmp_path, "q,a,b", header="question,answer,answer")
    assert refused.value.code is ErrorCode.dataset_broken
