"""What `hearth-agent` does with its arguments: help, a command, or a refusal, and never a server by mistake."""

import pytest

from agent.command_line import arguments
from agent.command_line.arguments import Command, read_command_line


def test_no_arguments_serve() -> None:
    assert read_command_line([]) is None


def test_help_says_what_it_does_and_reads_and_returns(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_command_line(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("results", "HEARTH_DATA_DIR", "HEARTH_BIND", "exit codes"))


@pytest.mark.parametrize("arguments", [["--port", "1"], ["serve"], ["result", "12"], ["-x"]])
def test_what_is_unknown_is_refused_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_command_line(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert any(argument in said for argument in arguments)


def test_a_command_gets_what_follows_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def run(arguments: object) -> int:
        seen.append(list(arguments))  # type: ignore[call-overload]
        return 7

    monkeypatch.setitem(arguments.COMMANDS, "results", Command(summary="", run=run))
    command = read_command_line(["results", "12", "--help"])
    assert command is not None
    assert command() == 7
    assert seen == [["12", "--help"]]
