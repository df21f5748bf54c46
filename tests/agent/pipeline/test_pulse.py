"""What a trainer's thread does beside its work."""

from pathlib import Path

import pytest

from agent.job_folder.folder import JobFolder
from agent.pipeline import context
from agent.pipeline.context import Pulse
from shared import log_file


def test_a_trainer_keeps_its_own_log_within_bounds_also_without_an_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "PULSE_S", 0.01)
    folder = JobFolder(path=tmp_path)
    folder.log.write_bytes(b"a line for each step\n" * (log_file.MOST_BYTES // 10))
    pulse = Pulse(folder)
    pulse.start()
    while folder.log.stat().st_size:
        pulse._stop.wait(0.01)
    pulse.stop()
    assert log_file.before(folder.log).stat().st_size == log_file.MOST_BYTES
