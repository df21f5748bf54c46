"""What a child is given, and what is quoted of its log."""

import os
import signal
import sys
from pathlib import Path

import pytest

from agent.job_folder import JobFolder
from agent.trainer_process import last_line, start, trainer_environment


def test_trainer_sees_one_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    environment = trainer_environment(JobFolder(path=tmp_path), threads=1, gpu="2")
    assert environment["CUDA_VISIBLE_DEVICES"] == "2"
    assert environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_child_without_a_gpu_sees_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert trainer_environment(JobFolder(path=tmp_path), threads=1)["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no oom_score_adj")
def test_trainer_goes_before_the_agent_when_memory_runs_out(tmp_path: Path) -> None:
    folder = JobFolder(path=tmp_path)
    trainer = start(
        [sys.executable, "-c", "import time; time.sleep(60)"], folder, trainer_environment(folder, threads=1)
    )
    try:
        assert int(Path(f"/proc/{trainer.process.pid}/oom_score_adj").read_text()) == 500
        assert os.getsid(trainer.process.pid) == trainer.process.pid
    finally:
        trainer.signal(signal.SIGKILL)


def test_quoted_last_line_is_redacted_before_it_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 180 + " hf_" + "a" * 34 + "\n\n")
    quoted = last_line(log)
    assert quoted is not None
    assert quoted.endswith("[secret]")
