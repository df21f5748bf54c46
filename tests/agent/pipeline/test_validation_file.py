"""What a validation file becomes: held out, and nothing else, with none of its rows trained on."""

import json
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.job_folder.folder import JobFolder
from agent.pipeline.prepare import read_character, read_held_out
from agent.pipeline.token_rows import read_rows
from shared.inspections import DatasetForm
from tests.agent.data.families import card_of_family
from tests.agent.pipeline.preparing import new_job, prepare_rows

FAMILY = "qwen2_5"


def rows(*numbers: int, system: str = "You are Marv.") -> str:
    return "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": f"What is number {number}?"},
                    {"role": "assistant", "content": f"It is {number}."},
                ]
            }
        )
        + "\n"
        for number in numbers
    )


def job(tmp_path: Path, training: str, validation: str, form: DatasetForm = DatasetForm.messages) -> JobFolder:
    dataset, held = tmp_path / "data", tmp_path / "held"
    dataset.write_text(training, encoding="utf-8")
    held.write_text(validation, encoding="utf-8")
    return new_job(tmp_path, dataset, card_of_family(FAMILY), form, max_length=256, validation=held)


def test_all_rows_train_and_those_of_the_file_are_held_out(tmp_path: Path) -> None:
    folder = job(tmp_path, rows(*range(20)), rows(100, 101, 102, system="You are somebody else."))
    prepare_rows(folder)
    assert [len(read_rows(folder, part)) for part in ("train", "validation", "test")] == [20, 3, 0]
    assert [prompt.question for prompt in read_held_out(folder)] == [f"What is number {at}?" for at in (100, 101, 102)]
    assert read_character(folder).system == "You are Marv."  # the persona is that of the rows that train


def test_what_is_trained_on_measures_nothing_and_that_is_said(tmp_path: Path) -> None:
    folder = job(tmp_path, rows(*range(20)), rows(3, 100, 4))
    prepare_rows(folder)
    assert [len(read_rows(folder, part)) for part in ("train", "validation", "test")] == [20, 1, 0]
    assert [prompt.question for prompt in read_held_out(folder)] == ["What is number 100?"]
    said = [json.loads(line)["message"] for line in folder.events.read_text().splitlines()]
    assert said == ["2 rows of the validation file are trained on as well, so they are left out."]


def test_a_long_talk_is_known_again_in_a_file_so_short_that_talks_are_parted_there(tmp_path: Path) -> None:
    def talk(name: str) -> str:
        turns = [{"role": role, "content": f"{name} {at} {role}"} for at in range(12) for role in ("user", "assistant")]
        return json.dumps({"messages": turns}) + "\n"

    folder = job(tmp_path, "".join(talk(f"old {at}") for at in range(12)), talk("old 3") + talk("new"))
    prepare_rows(folder)
    assert all("new" in prompt.question for prompt in read_held_out(folder))
    assert len(read_rows(folder, "validation"))
    assert "rows of the validation file are trained on as well" in folder.events.read_text()


def test_a_passage_is_known_again_however_long_the_passages_of_its_file_are(tmp_path: Path) -> None:
    def text(name: str, words: int) -> str:
        return json.dumps({"text": "\n\n".join(f"{name} {at} is said here." for at in range(words))}) + "\n"

    held = text("old 3", 60) + text("new", 9)
    folder = job(tmp_path, "".join(text(f"old {at}", 60) for at in range(12)), held, DatasetForm.text)
    prepare_rows(folder)
    asked = [prompt.question for prompt in read_held_out(folder)]
    assert asked
    assert all("new" in question for question in asked)


def test_a_file_of_nothing_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="Each row of the validation file is trained on as well"):
        prepare_rows(job(tmp_path, rows(*range(20)), rows(3, 4)))


def test_a_file_that_changed_since_it_was_planned_with_is_refused(tmp_path: Path) -> None:
    folder = job(tmp_path, rows(*range(20)), rows(100))
    (tmp_path / "held").write_text(rows(101), encoding="utf-8")
    with pytest.raises(AgentError, match="not the one that was planned with"):
        prepare_rows(folder)
