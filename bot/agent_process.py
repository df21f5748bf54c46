"""An agent on this machine, started and stopped together with the bot: for the demo, and for `make run`."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.errors import BotError
from bot.settings import ADDRESS_FILE
from shared.errors import ErrorCode

START_S = 60
STOP_S = 30


class AgentProcessError(BotError):
    """The agent did not start."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.agent_unreachable)


@contextlib.contextmanager
def running_agent(data_dir: Path, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run `hearth-agent` with its output in `log` until the block ends. A training goes on without it."""
    with log.open("ab") as sink:
        agent = subprocess.Popen(
            [sys.executable, "-m", "agent"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # Ctrl-C is ours to pass on, once
        )
    try:
        _await_agent(agent, data_dir, log)
        yield
    finally:
        stop_process(agent)


def stop_process(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and make it if it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def agent_listens(data_dir: Path) -> bool:
    """Say whether an agent answers at the address that it left in its data folder."""
    try:
        host, _, port = (data_dir / ADDRESS_FILE).read_text(encoding="utf-8").strip().rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except (OSError, ValueError):
        return False
    return True


def _await_agent(agent: "subprocess.Popen[bytes]", data_dir: Path, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not agent_listens(data_dir):
        if agent.poll() is not None:
            raise AgentProcessError(f"The agent ended at once. It said:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise AgentProcessError(f"The agent did not listen within {START_S} s. It said:\n{_tail(log)}")
        time.sleep(0.1)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
