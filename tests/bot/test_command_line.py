"""What `hearth-bot` does with its arguments: the help, or a refusal."""

import sys

import pytest

from bot.serve import main


@pytest.mark.parametrize(
    ("argument", "code", "words"),
    [
        ("--help", 0, ("TELEGRAM_TOKEN", "HEARTH_AGENT_URL", "exit codes")),
        ("--token=1", 2, ("I do not know '--token=1'",)),
    ],
)
def test_help_is_shown_and_anything_else_refused(
    argument: str,
    code: int,
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["hearth-bot", argument])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    said = "".join(capsys.readouterr())
    assert all(word in said for word in words)
