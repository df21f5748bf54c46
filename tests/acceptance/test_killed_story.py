"""A real job on the two-layer model: its trainer killed three times, its agent once, paused once, and trained once."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest

from agent.job_folder.folder import JobFolder
from agent.pipeline.token_rows import read_rows
from shared.jobs import Stage
from tests.acceptance.test_tiny_story import ROWS, connect, supervised
from tests.ended import has_ended
from tests.fakes.ollama_server import FakeOllama, running_ollama

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(600)]


class Story:
    """An agent that can be killed, and its one job."""

    def __init__(self, data_dir: Path, models_dir: Path, ollama: FakeOllama) -> None:
        self.data_dir = data_dir
        self.ollama = ollama
        self._environment = {
            **os.environ,
            "HEARTH_DATA_DIR": str(data_dir),
            "HEARTH_MODELS_DIR": str(models_dir),
            "HEARTH_BIND": "127.0.0.1:0",
            "OLLAMA_HOST": ollama.url,
        }
        self.agent = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        (self.data_dir / "agent.address").unlink(missing_ok=True)
        with (self.data_dir / "agent.log").open("ab") as log:
            command = [sys.executable, "-m", "agent"]
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd=self.data_dir)

    @property
    def client(self) -> openai.OpenAI:
        return connect(self.data_dir, self.agent)

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self.data_dir / "jobs" / job_id)

    def events(self, job_id: str) -> list[dict[str, Any]]:
        try:
            lines = self.folder(job_id).events.read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line)["data"] for line in lines if line.endswith("\n")]

    def steps(self, job_id: str) -> list[int]:
        return [event["step"] for event in self.events(job_id) if event["kind"] == "progress"]

    def trainer(self, job_id: str) -> int:
        heartbeat = self.folder(job_id).read_heartbeat()
        assert heartbeat is not None
        return heartbeat.pid

    def children_of_trainer(self, job_id: str) -> list[psutil.Process]:
        return psutil.Process(self.trainer(job_id)).children()

    def kill_trainer(self, job_id: str) -> int:
        pid = self.trainer(job_id)
        os.kill(pid, signal.SIGKILL)
        return pid

    def until(self, job_id: str, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < deadline, self.events(job_id)[-3:]
            time.sleep(0.05)  # it asks the agent, or reads all events


@pytest.fixture
def story(tmp_path: Path, models_dir: Path, tiny_cache: Path) -> Iterator[Story]:
    shutil.copytree(tiny_cache, tmp_path / "base_models")
    with running_ollama() as ollama:
        story = Story(tmp_path, models_dir, ollama)
        yield story
        story.agent.send_signal(signal.SIGTERM)
        assert story.agent.wait(30) == 0


def create(client: openai.OpenAI) -> str:
    file = client.files.create(file=("names.jsonl", ROWS), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=file.id, suffix="tiny-toast", seed=7,
        method=supervised(n_epochs=20, learning_rate=0.0005, early_stopping_patience=100),
    )  # fmt: skip
    return str(job.id)


def test_a_job_that_is_killed_again_and_again_is_trained_once(story: Story) -> None:
    job_id = create(story.client)
    folder = story.folder(job_id)
    story.until(job_id, lambda: story.steps(job_id)[-1:] >= [20] and any(folder.checkpoints.glob("step-*")))
    first = story.kill_trainer(job_id)
    story.until(job_id, lambda: (beat := folder.read_heartbeat()) and beat.pid != first)
    story.agent.kill()
    story.agent.wait()
    story.agent = story.start()
    pause_and_resume(story, job_id)
    in_export = [{"kind": "stage", "stage": "export", "done": False, "detail": None, "starts_over": False}]
    story.until(job_id, lambda: [event for event in story.events(job_id) if event in in_export])
    story.ollama.create_trouble = "silence"
    story.kill_trainer(job_id)
    story.until(job_id, lambda: "POST /api/create" in story.ollama.asked)
    [handing_over] = story.children_of_trainer(job_id)
    story.kill_trainer(job_id)
    story.until(job_id, lambda: has_ended(handing_over))  # it would have waited for minutes
    story.ollama.create_trouble = ""
    client = story.client
    story.until(job_id, lambda: client.fine_tuning.jobs.retrieve(job_id).status in {"succeeded", "failed"})
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert job.status == "succeeded", job.error
    assert len([event for event in story.events(job_id) if event in in_export]) == 2  # it was killed in the first
    check_trained_once(story, job_id, interval=folder.read_spec().settings.eval_steps)
    assert job.model_extra is not None
    assert job.model_extra["result"]["ollama"]["run"] == "tiny-toast"
    assert set(story.ollama.models) == {"tiny-toast:v1", "tiny-toast:latest"}
    assert len([path for path in story.ollama.asked if path.startswith("POST /api/blobs/")]) == 1  # uploaded once


def pause_and_resume(story: Story, job_id: str) -> None:
    """Pause it in the middle of its training: the trainer is gone, and its memory with it."""
    client, so_far = story.client, len(story.steps(job_id))
    story.until(job_id, lambda: len(story.steps(job_id)) > so_far)
    trainer = psutil.Process(story.trainer(job_id))
    client.post(f"/fine_tuning/jobs/{job_id}/pause", cast_to=object)
    story.until(job_id, lambda: client.fine_tuning.jobs.retrieve(job_id).status == "paused")
    story.until(job_id, lambda: has_ended(trainer))
    assert not story.folder(job_id).stage_marker(Stage.train).exists()
    client.post(f"/fine_tuning/jobs/{job_id}/resume", cast_to=object)


def check_trained_once(story: Story, job_id: str, *, interval: int) -> None:
    """Steps rise but for what was behind the last checkpoint, tokens are counted once, stages are done once."""
    events = story.events(job_id)
    steps = story.steps(job_id)
    again = [(before, after) for before, after in itertools.pairwise(steps) if after <= before]
    assert len(again) == 1
    assert again[0][0] - again[0][1] < interval
    each_epoch = sum(label != -100 for row in read_rows(story.folder(job_id), "train") for label in row.labels)
    tokens = [event["trained_tokens"] for event in events if event["kind"] == "progress"]
    assert tokens[-1] == pytest.approx(20 * each_epoch, rel=0.1)
    done = [event["stage"] for event in events if event["kind"] == "stage" and event["done"]]
    assert done == [stage.value for stage in Stage]
