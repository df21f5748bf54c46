"""One stage at a time, as whoever works on it runs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from agent.children.environment import child_environment
from agent.job_folder.events import read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline.by_hand import EVENTS
from agent.pipeline.context import Context
from shared.jobs import Stage

pytestmark = pytest.mark.process


def by_hand(folder: Path, stage: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agent.pipeline", "--job", str(folder), "--stage", stage]
    environment = child_environment(offline=True)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


@pytest.mark.slow
def test_a_stage_is_run_by_hand_and_the_agent_is_told_nothing(context: Context) -> None:
    folder = context.folder
    done = by_hand(folder.path, "train")
    assert done.returncode == 0, done.stderr
    assert (folder.adapter / ADAPTER_FILE).is_file()
    assert folder.stage_marker(Stage.train).exists()
    assert read_events(folder.path / EVENTS, 0)[0]
    assert not folder.events.exists()


def test_a_folder_of_no_job_is_refused_in_words(tmp_path: Path) -> None:
    assert "is no job's folder: it has no spec.json" in by_hand(tmp_path, "train").stderr


@pytest.mark.slow
def test_no_stage_runs_beside_the_jobs_own_trainer(context: Context) -> None:
    with FileLock(context.folder.lock):
        assert "Pause the job first" in by_hand(context.folder.path, "train").stderr
