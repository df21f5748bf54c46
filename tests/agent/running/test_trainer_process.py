"""What a child is given, and what is quoted of its log."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.job_folder.folder import Heartbeat, JobFolder
from agent.running.trainer_process import AdoptedTrainer, last_line, start, trainer_environment
from shared.jobs import Stage
from tests.ended import has_ended


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


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="this system has no process groups")
def test_what_an_adopted_trainer_started_does_not_outlive_it(tmp_path: Path) -> None:
    folder = JobFolder(path=tmp_path)
    sleep = "import time; time.sleep(60)"
    child_in = f"print(subprocess.Popen([sys.executable, '-c', {sleep!r}], cwd=cwd).pid)"
    script = f"import subprocess, sys\nfor cwd in (None, '/'): {child_in}\n{sleep}"
    trainer = start([sys.executable, "-uc", script], folder, trainer_environment(folder, threads=1))
    try:
        while folder.log.read_text().count("\n") < 2:
            time.sleep(0.01)
        child, bystander = [psutil.Process(int(line)) for line in folder.log.read_text().split()]
        beat = Heartbeat(stage=Stage.verify, step=1, pid=trainer.process.pid, alive_at=0, progress_at=0)
        folder.heartbeat.write_text(beat.model_dump_json())
        os.kill(trainer.process.pid, signal.SIGKILL)
        trainer.process.wait()
        AdoptedTrainer(folder).signal(signal.SIGKILL)
        while not has_ended(child):
            time.sleep(0.01)
        assert not has_ended(bystander)  # it does not work in the job's folder: the group may be somebody else's
    finally:
        trainer.signal(signal.SIGKILL)


def test_quoted_last_line_is_redacted_before_it_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 180 + " hf_" + "a" * 34 + "\n\n")
    quoted = last_line(log)
    assert quoted is not None
    assert quoted.endswith("[secret]")
