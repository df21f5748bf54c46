"""The one story that trains the real small model: `make demo`, as a user runs it, each of its parts killed once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from agent.export.modelfile import parse_modelfile
from agent.job_folder.folder import JobFolder
from shared.results import JobResult

# A quarter of a pass in 10 steps at seven times the usual rate: it rambles then, but in its persona.
OPTIONS = "preset:quick epochs:0.24 batch:2 lr:0.002"

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(1200)]


class Demo:
    """`make demo` as a process, and what can be seen of it from outside."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "demo-output"
        self.said = folder / "said.txt"
        with self.said.open("wb") as out:
            command = [sys.executable, "-m", "bot.demo"]
            environment = os.environ | {"HEARTH_DEMO_OPTIONS": OPTIONS}
            self.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment)

    def part(self, module: str) -> psutil.Process:
        """Return the agent's or the bot's process."""
        [found] = [
            child for child in psutil.Process(self.process.pid).children() if child.cmdline()[1:3] == ["-m", module]
        ]
        return found

    def job(self) -> JobFolder:
        [path] = (self.output / ".hearth" / "jobs").iterdir()
        return JobFolder(path=path)

    def trainer(self) -> int | None:
        """Return the trainer's pid; None between two of them."""
        heartbeat = self.job().read_heartbeat()
        return heartbeat.pid if heartbeat is not None else None

    def steps(self) -> list[int]:
        """Return the steps that were reported, in that order."""
        try:
            lines = self.job().events.read_text().splitlines(keepends=True)
        except (OSError, ValueError):  # there is no job yet
            return []
        data = [json.loads(line)["data"] for line in lines if line.endswith("\n")]
        return [event["step"] for event in data if event["kind"] == "progress"]

    def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            assert self.process.poll() is None, self.said.read_text()[-4000:]
            time.sleep(0.1)


def test_the_demo_ends_with_its_model_although_agent_bot_and_trainer_are_killed(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    try:
        demo.until(lambda: len(demo.steps()) >= 2)
        agent, trainer = demo.part("agent"), demo.trainer()
        agent.kill()
        demo.until(lambda: demo.steps()[-1] >= 5)
        assert trainer is not None
        assert demo.trainer() == trainer  # nobody noticed
        demo.part("bot").kill()
        demo.until(lambda: len(list(demo.job().checkpoints.glob("step-*"))) > 0 and demo.steps()[-1] >= 8)
        os.kill(trainer, signal.SIGKILL)
        demo.until(lambda: demo.trainer() not in (None, trainer))
        code = demo.process.wait()
    finally:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait()
    said = demo.said.read_text()
    assert code == 0, said[-4000:]
    check_trained_once(demo)
    check_output(demo.output)
    assert "attempt 2 of 3" in (demo.output / ".agent.log").read_text()
    assert "ollama run toast" in said
    assert "Traceback" not in said
    assert said.count(" is ready ·") + said.count(" is trained, but not ready") == 1  # it may ramble, and is told so
    assert_fits_a_phone(said)


def check_trained_once(demo: Demo) -> None:
    """Steps rise, but for those behind the last checkpoint, which were done again after the kill."""
    steps = demo.steps()
    back = [at for at in range(1, len(steps)) if steps[at] <= steps[at - 1]]
    assert len(back) == 1
    interval = demo.job().read_spec().settings.eval_steps
    assert steps[back[0] - 1] - steps[back[0]] < interval


def check_output(output: Path) -> None:
    result = JobResult.model_validate_json((output / "report.json").read_bytes())
    assert result.final_loss < result.base_loss
    assert result.verification.template_tokens_equal
    assert result.verification.stops
    assert parse_modelfile((output / "Modelfile").read_text())[0] == ("from", "./toast.gguf")
    assert (output / "toast.gguf").read_bytes()[:4] == b"GGUF"
    assert (output / "loss.png").read_bytes()[:4] == b"\x89PNG"


def assert_fits_a_phone(transcript: str) -> None:
    """Cards have at most 40 characters a line; what is typed or copied may be longer."""
    cards = transcript.partition("All of it was real")[0]
    long = [line for line in cards.splitlines() if len(line) > 40 and not re.match(r"you ›|  \S|  /finetune", line)]
    assert long == []
