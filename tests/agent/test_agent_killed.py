"""kill -9 of the agent, at the worst moments and again and again: its jobs run once, in the same trainer."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest

from agent.job_folder import JobFolder
from agent.settings import AgentSettings
from tests.agent.running import KEY, MODEL, ROWS

MOMENTS = [
    "between claim and folder",
    "between claim and spawn",
    "between spawn and record",
    "in the middle of storing",
    "after the end before it is recorded",
]


class KilledAgent:
    """Starts agents on one data folder, one after the other."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, behaviour: str, *kill_at: str) -> None:
        (self.data_dir / "address").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.agent.agent_process", str(self.data_dir), behaviour, *kill_at]
        log = (self.data_dir / "agent.log").open("ab")
        with log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONSAFEPATH": ""})

    def api(self) -> openai.OpenAI:
        until(lambda: (self.data_dir / "address").exists())
        url = (self.data_dir / "address").read_text()
        return openai.OpenAI(base_url=f"{url}v1", api_key=KEY, max_retries=0)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def until_dead(self) -> None:
        assert self.process is not None
        assert self.process.wait(30) == -signal.SIGKILL

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self.data_dir / "jobs" / job_id)

    def pids(self, job_id: str) -> list[int]:
        """Return the trainers that a job has had; none before its first."""
        path = self.folder(job_id).path / "lives"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(holds: Callable[[], object]) -> None:
    """Look until something holds that other processes do."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def create(api: openai.OpenAI) -> str:
    file = api.files.create(file=("toast.jsonl", ROWS), purpose="fine-tune")
    return api.fine_tuning.jobs.create(model=MODEL, training_file=file.id, suffix="toast").id


def check_ran_once(agent: KilledAgent, job_id: str) -> None:
    api = agent.api()
    until(lambda: api.fine_tuning.jobs.retrieve(job_id).status in {"succeeded", "failed"})
    job = api.fine_tuning.jobs.retrieve(job_id)
    assert job.status == "succeeded", job.error
    assert len(agent.pids(job_id)) == 1
    written = [json.loads(line)["message"] for line in agent.folder(job_id).events.read_text().splitlines()]
    said = [event.message for event in api.fine_tuning.jobs.list_events(job_id, limit=100)][::-1]
    assert [message for message in said if message in written] == written
    assert said.count("Done.") == 1
    assert len(job.result_files) == 1


@pytest.fixture
def agent(settings: AgentSettings) -> Iterator[KilledAgent]:
    agent = KilledAgent(settings.hearth_data_dir)
    yield agent
    agent.kill()


@pytest.mark.parametrize("moment", MOMENTS)
def test_job_runs_once_although_the_agent_is_killed(agent: KilledAgent, moment: str) -> None:
    agent.start("succeed", moment)
    job_id = create(agent.api())
    agent.until_dead()
    agent.start("succeed")
    check_ran_once(agent, job_id)


def test_agent_killed_ten_times_finds_the_same_trainer_each_time(agent: KilledAgent) -> None:
    agent.start("hold")
    job_id = create(agent.api())
    until(lambda: agent.pids(job_id))
    for _ in range(10):
        agent.kill()
        agent.start("hold")
        job = agent.api().fine_tuning.jobs.retrieve(job_id)
        assert job.status == "running"
    (agent.folder(job_id).path / "go").touch()
    check_ran_once(agent, job_id)


def test_accepted_job_is_there_after_a_kill_at_the_next_instant(agent: KilledAgent) -> None:
    agent.start("hold")
    job_id = create(agent.api())
    agent.kill()
    agent.start("succeed")
    check_ran_once(agent, job_id)
