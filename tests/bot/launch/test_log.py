"""The bot's own log stays within a size."""

import logging
from pathlib import Path

import pytest

from bot import serve as program
from bot.settings import Settings


def test_bot_log_turns_over_and_keeps_what_was_said_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LOG_BYTES", 1000)
    handler = program.log_handler(Settings(bot_dir=tmp_path))
    for number in range(1000):
        handler.emit(logging.LogRecord("bot", logging.INFO, "", 0, "edit %d failed", (number,), None))
    handler.close()
    logs = sorted(tmp_path.iterdir())
    assert [log.name for log in logs] == ["bot.log", "bot.log.1", "bot.log.2"]
    assert all(log.stat().st_size <= 1000 for log in logs)
    assert "edit 999 failed" in logs[0].read_text()
