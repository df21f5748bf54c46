"""What keeps an agent running, with a stand-in for it."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.launch import local_agent
from bot.launch.local_agent import AgentProcessError, RunningAgent, agent_listens, running_agent
from shared.log_file import MOST_BYTES
from tests.bot import stand_in_agent

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where `python -m agent` is the stand-in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


def until_another_listens(agent: RunningAgent, folder: Path, dead: int) -> None:
    deadline = time.monotonic() + 30
    while agent.process.pid == dead or not agent_listens(folder / "data"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_agent_that_is_killed_is_started_again_on_the_same_data(folder: Path) -> None:
    environment = stand_in_agent.install(folder)
    with running_agent(folder / "data", folder / "log", environment) as agent:
        for _ in range(2):
            dead = agent.process.pid
            agent.process.send_signal(signal.SIGKILL)
            until_another_listens(agent, folder, dead)
        agent.check()
        last = agent.process
    assert last.returncode == 0
    assert (folder / "agent-stopped").exists()


def test_an_agent_that_dies_again_and_again_is_given_up_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_agent, "PAUSES_S", (0, 0, 0))
    environment = stand_in_agent.install(folder)
    with running_agent(folder / "data", folder / "log", environment) as agent:
        beside = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        agent.beside(beside)
        (folder / "agent-fatal").write_text("the disk is on fire")
        agent.process.send_signal(signal.SIGKILL)
        assert beside.wait(30) == -signal.SIGTERM
        with pytest.raises(AgentProcessError, match=r"died 4 times in a row.*\n(.*\n)*the disk is on fire"):
            agent.check()


def test_the_log_of_an_agent_that_runs_on_and_on_stays_within_a_size(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_agent, "LOOK_S", 0.02)
    environment = stand_in_agent.install(folder)
    with running_agent(folder / "data", folder / "log", environment) as agent:
        with (folder / "log").open("ab") as log:
            log.write(b"x" * (MOST_BYTES + 1))
        deadline = time.monotonic() + 30
        while (folder / "log").stat().st_size > MOST_BYTES:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        agent.check()


def test_an_agent_that_cannot_start_is_said_at_once(folder: Path) -> None:
    environment = stand_in_agent.install(folder)
    (folder / "agent-fatal").write_text("no such key")
    with (
        pytest.raises(AgentProcessError, match=r"ended at once\. It said:\nno such key"),
        running_agent(folder / "data", folder / "log", environment),
    ):
        raise AssertionError


async def test_make_run_starts_a_killed_agent_again(folder: Path) -> None:
    environment = stand_in_agent.install(folder) | {"HEARTH_BOT_DIR": str(folder / "bot-dir"), "PACE_S": "0.05"}
    start = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.start", stdin=-1, stdout=-1, stderr=-1, cwd=folder, env=environment
    )
    assert start.stdin is not None
    assert start.stdout is not None
    async with asyncio.timeout(60):
        start.stdin.write(b"/finetune sample\n1\n")
        await start.stdout.readuntil("toast · training".encode())
        await stand_in_agent.kill_child(start.pid, "agent")
        out, err = await start.communicate(b"")
    assert (start.returncode, err) == (0, b"")
    assert b" is ready " in out
