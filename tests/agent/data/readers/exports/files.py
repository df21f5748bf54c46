"""Small exports, written to disk and read as a person's file is."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.data.readers.formats import read_rows
from agent.data.readers.unclear import UnclearError
from agent.data.reading import find_reading
from shared.inspections import DatasetForm
from shared.mapping import Mapping

Talk = list[tuple[str, str]]


def saved(tmp_path: Path, content: object, *, lines: bool = False) -> Path:
    """Write a file: a text as it is, rows as JSONL if `lines`, anything else as JSON."""
    path = tmp_path / "export"
    if isinstance(content, str):
        text = content
    elif lines:
        assert isinstance(content, list)
        text = "".join(json.dumps(row) + "\n" for row in content)
    else:
        text = json.dumps(content, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def talks(path: Path, mapping: Mapping | None = None) -> list[Talk]:
    """Return the talks of a file, which are usable rows of messages."""
    rows = list(read_rows(path, mapping=mapping))
    assert [row.problem for row in rows if row.value is None] == []
    assert find_reading(path, mapping).form is DatasetForm.messages
    return [[(turn["role"], turn["content"]) for turn in row.value["messages"]] for row in rows if row.value]


def first_turns(path: Path) -> list[dict[str, Any]]:
    """Return the turns of the first row as they are."""
    row = next(read_rows(path))
    assert row.value is not None, row.problem
    return list(row.value["messages"])


def problems(path: Path) -> list[str]:
    """Return why rows are dropped."""
    return [row.problem or "" for row in read_rows(path) if row.value is None]


def said_by(path: Path, assistant: str) -> dict[str, int]:
    """Return who is asked about, after seeing that nothing is learned before one of them is the assistant."""
    with pytest.raises(UnclearError, match="Say with `mapping` who is the assistant") as caught:
        list(read_rows(path))
    question = caught.value.question
    assert f'{{"assistant":"{assistant}"}}' in caught.value.message, "a program learns from it what to send"
    assert Mapping(assistant=assistant) in [choice.mapping for choice in question.choices]
    return {speaker.name: speaker.messages for speaker in question.speakers}


def pair(question: str, answer: str) -> Talk:
    """Return a talk of two turns."""
    return [("user", question), ("assistant", answer)]
