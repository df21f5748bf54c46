from pathlib import Path

import pytest

from bot.errors import BadCallError
from bot.terminal_ui.inbound import read_line


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my rows.jsonl"
    path.write_text("{}\n")
    return path


@pytest.mark.parametrize(
    "line",
    [
        "'my rows.jsonl'", '"my rows.jsonl"', "my\\ rows.jsonl", "my rows.jsonl", "{path}", "'{path}'", "{uri}",
        "/finetune 'my rows.jsonl'", "/finetune my\\ rows.jsonl", "/finetune my rows.jsonl", "/finetune {uri}",
    ],
)  # fmt: skip
def test_a_file_may_be_typed_dropped_quoted_escaped_or_a_url(rows: Path, line: str) -> None:
    typed = read_line(line.format(path=rows, uri=rows.as_uri()))
    assert typed.command == "finetune"
    assert [attachment.name for attachment in typed.attachments] == ["my rows.jsonl"]
    assert typed.arguments == ()


def test_options_stay_options_beside_a_file(rows: Path) -> None:
    typed = read_line("/finetune 'my rows.jsonl' name:toast model:org/name-1.5 epochs:3")
    assert typed.arguments == ("name:toast", "model:org/name-1.5", "epochs:3")
    assert len(typed.attachments) == 1


@pytest.mark.parametrize("line", ["/finetune gone.jsonl", "/home/gone.jsonl", "gone.csv", "./gone"])
def test_a_path_that_leads_nowhere_is_said_before_anything_is_asked(line: str) -> None:
    with pytest.raises(BadCallError, match="There is no file"):
        read_line(line)


def test_a_folder_is_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(BadCallError, match="is a folder"):
        read_line(f"/finetune {tmp_path}/.")


@pytest.mark.parametrize("line", ["hello there", "it's a test", ""])
def test_plain_talk_is_no_command(line: str) -> None:
    typed = read_line(line)
    assert (typed.command, typed.attachments) == ("", ())


def test_a_number_presses_a_button_and_a_command_is_read_in_any_case() -> None:
    assert read_line(" 2 ").button == 2
    assert read_line("/STATUS #1").command == "status"
    assert read_line("/status #1").arguments == ("#1",)
