"""Agent, bot, a bare server and a busy machine, all as real processes."""

import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from agent.children.priority import lower_priority
from agent.machine.gpu import MIB
from shared.paths import ADDRESS_FILE, KEY_FILE

START_S = 60.0
SETTLE_S = 5.0  # idle before resident memory is read
QUIET_S = 0.4  # a bot that has said nothing for so long has said all
ACKNOWLEDGED = b"One moment"  # begins what a bot says while it still asks the agent
BUSY = "x = 0\nwhile True: x += 1"  # the stand-in for a training that uses a core


@dataclass(frozen=True, kw_only=True)
class Server:
    """A process that answers HTTP."""

    process: "subprocess.Popen[bytes]"
    url: str
    key: str
    start_s: float  # from its spawn to its first answer

    def resident_mib(self) -> float:
        """Return what it has resident now, its children included."""
        process = psutil.Process(self.process.pid)
        return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / MIB

    def settled_mib(self) -> float:
        """Return what it has resident after a while without work."""
        time.sleep(SETTLE_S)
        return self.resident_mib()

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection that stays open."""
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=START_S)

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str) -> float:
        """Make one request; return the seconds until its answer was read."""
        began = time.perf_counter()
        connection.request(method, path, headers={"Authorization": f"Bearer {self.key}"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {body[:300]!r}")
        return time.perf_counter() - began

    def latencies(self, path: str, count: int) -> list[float]:
        """Return the seconds of `count` GETs, one after the other on one connection."""
        with contextlib.closing(self.connect()) as connection:
            self.ask(connection, "GET", path)
            return [self.ask(connection, "GET", path) for _ in range(count)]


@contextmanager
def run_agent(data_dir: Path) -> Iterator[Server]:
    """Run `python -m agent` on a data folder, from its spawn to its first answer and on."""
    data_dir.mkdir(parents=True, exist_ok=True)
    address = data_dir / ADDRESS_FILE
    environment = bare_environment() | {
        "HEARTH_DATA_DIR": str(data_dir), "HEARTH_BIND": "127.0.0.1:0", "OLLAMA_HOST": "127.0.0.1:1",
    }  # fmt: skip
    began = time.perf_counter()
    with (data_dir / "bench-agent.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent"], cwd=data_dir, env=environment, stdout=log, stderr=log
        )
    try:
        url = f"http://{_address(address, process)}"
        server = Server(process=process, url=url, key="", start_s=0.0)
        with contextlib.closing(server.connect()) as connection:
            server.ask(connection, "GET", "/healthz")
        start_s = time.perf_counter() - began
        yield Server(process=process, url=url, key=(data_dir / KEY_FILE).read_text().strip(), start_s=start_s)
    finally:
        _stop(process)


@contextmanager
def run_bare_server() -> Iterator[Server]:
    """Run an aiohttp server that does next to nothing: what the library itself costs."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_server"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        server = Server(process=process, url=process.stdout.readline().decode().strip(), key="none", start_s=0.0)
        with contextlib.closing(server.connect()) as connection:
            server.ask(connection, "GET", "/healthz")
        yield Server(process=process, url=server.url, key="none", start_s=time.perf_counter() - began)
    finally:
        _stop(process)


def _address(path: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.perf_counter() + START_S
    while time.perf_counter() < deadline and process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text()
        time.sleep(0.002)
    raise RuntimeError(f"the agent did not start; see {path.parent / 'bench-agent.log'}")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How long a person waited for the first words of an answer, and for the last."""

    first_s: float
    last_s: float


class Bot:
    """`python -m bot` with a pipe for a person."""

    def __init__(self, folder: Path, *, url: str, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        environment = bare_environment() | {
            "HEARTH_AGENT_URL": url, "HEARTH_AGENT_KEY": key or "none", "HEARTH_BOT_DIR": str(folder / "bot"),
            "HEARTH_DATA_DIR": str(folder / "none"), "HEARTH_FILES_DIR": str(folder / "files"),
        }  # fmt: skip
        self.spawned_at = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, line: str, *, since: float | None = None) -> Answered:
        """Type a line; wait until the bot has answered and is silent. The echo is flushed with the first answer."""
        assert self.process.stdin is not None
        began = time.perf_counter() if since is None else since
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        said = self._heard(START_S)
        first = last = time.perf_counter()
        while heard := self._heard(START_S if ACKNOWLEDGED in said else QUIET_S):
            said, last = heard, time.perf_counter()
        return Answered(first_s=first - began, last_s=last - began)

    def _heard(self, seconds: float) -> bytes:
        """Return what the bot says next, within so many seconds; empty when it says nothing."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        return os.read(descriptor, 1 << 20) if select.select([descriptor], [], [], seconds)[0] else b""

    def resident_mib(self) -> float:
        """Return what it has resident now."""
        return psutil.Process(self.process.pid).memory_info().rss / MIB


@contextmanager
def run_bot(folder: Path, *, url: str, key: str = "") -> Iterator[Bot]:
    """Run the bot against an agent's address."""
    bot = Bot(folder, url=url, key=key)
    try:
        yield bot
    finally:
        _stop(bot.process)


@contextmanager
def busy_cores() -> Iterator[None]:
    """Use every core, as nicely as a trainer does."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        for process in processes:
            lower_priority(process.pid)
        time.sleep(0.5)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def sleeping_machine() -> Iterator[str]:
    """Give the address of a port that answers no packet, as a PC that is asleep: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        time.sleep(0.1)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def bare_environment() -> dict[str, str]:
    """Return what any process needs, and nothing of Hearth's settings."""
    kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8"}


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
