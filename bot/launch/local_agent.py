"""An agent on this machine, started and stopped together with the bot: for the demo, and for `make run`.

One that dies is started again on the same data folder; the training went on meanwhile. One that dies too often is
given up.
"""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.errors import BotError
from bot.settings import ADDRESS_FILE
from shared.errors import ErrorCode
from shared.log_file import keep_within, last_lines

START_S = 60
STOP_S = 30
PAUSES_S = (0, 1, 2, 5, 10)  # before it is started again, for the first time, the second, …; then it is given up
LOOK_S = 10.0  # between two looks at the size of its log
LIVED_S = 60  # one that lived so long has not died of its start: it counts anew


class AgentProcessError(BotError):
    """The agent did not start, or died too often."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.agent_unreachable)


class RunningAgent:
    """The process, and a thread that starts it again."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._beside: subprocess.Popen[bytes] | None = None
        self._given_up = False
        self._process = self._spawn()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The one that runs now."""
        return self._process

    def watch(self) -> None:
        """Start it again from now on whenever it dies."""
        self._watching.start()

    def beside(self, process: "subprocess.Popen[bytes]") -> None:
        """End that process if the agent is given up: it would wait for ever."""
        with self._lock:
            self._beside = process
            if self._given_up:
                process.terminate()

    def check(self) -> None:
        """Raise AgentProcessError if the agent was given up."""
        if self._given_up:
            raise AgentProcessError(
                f"The agent died {len(PAUSES_S) + 1} times in a row, so I gave it up. It said:\n{_said(self._log)}"
            )

    def stop(self) -> None:
        """End it for good."""
        self._stopping.set()
        with self._lock:
            stop_process(self._process)
        if self._watching.is_alive():
            self._watching.join()

    def _watch(self) -> None:
        deaths = 0
        while True:
            began = time.monotonic()
            self._wait()
            deaths = 0 if time.monotonic() - began > LIVED_S else deaths
            if deaths == len(PAUSES_S):
                self._give_up()
                return
            if self._stopping.wait(PAUSES_S[deaths]):
                return
            deaths += 1
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = self._spawn()

    def _wait(self) -> None:
        """Wait for its end, and keep its log within bounds meanwhile."""
        while True:
            with contextlib.suppress(OSError):  # the log is looked at again
                keep_within(self._log)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_S)
                return

    def _give_up(self) -> None:
        with self._lock:
            self._given_up = not self._stopping.is_set()
            if self._given_up and self._beside is not None:
                self._beside.terminate()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "agent"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,  # Ctrl-C is ours to pass on, once
            )


@contextlib.contextmanager
def running_agent(data_dir: Path, log: Path, environment: Mapping[str, str]) -> Iterator[RunningAgent]:
    """Keep `hearth-agent` running with its output in `log` until the block ends. A training goes on without it."""
    agent = RunningAgent(log, environment)
    try:
        _await_agent(agent.process, data_dir, log)
        agent.watch()
        yield agent
    finally:
        agent.stop()


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
            raise AgentProcessError(f"The agent ended at once. It said:\n{_said(log)}")
        if time.monotonic() > deadline:
            raise AgentProcessError(f"The agent did not listen within {START_S} s. It said:\n{_said(log)}")
        time.sleep(0.1)


def _said(log: Path) -> str:
    return "\n".join(last_lines(log, 10))
