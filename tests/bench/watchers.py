"""500 watchers of the agent's feed: how fast events reach all of them, and what that costs everybody else.

The events are cancelled jobs: the machine is paused, 100 jobs wait, and each is cancelled through the API. The
watchers are one process beside, and so is the one that asks how the agent does meanwhile.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.figure import Bar, Figure, median, percentile
from tests.bench.filled_store import fill, job_id
from tests.bench.processes import Server, run_agent, run_bare_server

WATCHERS, EVENTS = 500, 100
BARE = "bare aiohttp fan-out from memory"
PROBED = ("/healthz", "/v1/agent")

Found = dict[str, list[float]]


def run(work: Path, rounds: int) -> Iterator[Figure]:
    """Measure the feed under many watchers."""
    ours: Found = defaultdict(list)
    theirs: Found = defaultdict(list)
    alone: Found = defaultdict(list)
    for number in range(rounds):
        for watched, found in ((WATCHERS, ours), (1, alone)):
            data_dir = work / f"{watched}-{number}"
            fill(data_dir, finished=0, events=0, queued=EVENTS)
            with run_agent(data_dir) as agent:
                _watch(found, agent, "/v1/fine_tuning/jobs/{job}/cancel", watched, PROBED)
        with run_bare_server() as bare:
            _watch(theirs, bare, "/emit", WATCHERS, PROBED[:1])
    what = f"{WATCHERS} watchers, {EVENTS} events"
    rows = (
        (f"{what}: from the first event to all of them everywhere", "all", "s"),
        (f"{what}: from the last event to all of them everywhere", "behind", "s"),
        (f"{what}: growth of the agent's memory", "growth", "MiB"),
        (f"{what}: GET /healthz meanwhile, p99", "/healthz", "ms"),
    )
    for text, key, unit in rows:
        yield Figure(what=text, ours=median(ours[key]), unit=unit, theirs=median(theirs[key]), against=BARE)
    for text, key in (("GET /v1/agent meanwhile, p99", "/v1/agent"), ("a cancel, p99", "emit")):
        yield Figure(
            what=f"{what}: {text}", ours=median(ours[key]), unit="ms", theirs=median(alone[key]),
            against="with one watcher", bar=Bar(limit=1000),
        )  # fmt: skip


def _watch(found: Found, server: Server, path: str, watchers: int, probed: tuple[str, ...]) -> None:
    before = server.resident_mib()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.watch_feed", server.url, server.key, str(watchers), str(EVENTS)],
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        probes = [_Probe(server=server, route=route) for route in probed]
        with contextlib.ExitStack() as stack:
            for probe in probes:
                stack.enter_context(probe.running())
            began = time.perf_counter()
            with contextlib.closing(server.connect()) as connection:
                emits = [
                    server.ask(connection, "POST", path.format(job=job_id(number))) for number in range(EVENTS, 0, -1)
                ]  # the newest first: nobody else's place changes
            emitted = time.perf_counter()
            done = max(json.loads(process.stdout.readline()))
        found["growth"].append(server.resident_mib() - before)
    found["all"].append(done - began)
    found["behind"].append(done - emitted)
    found["emit"].append(percentile(emits, 99) * 1000)
    for route, probe in zip(probed, probes, strict=True):
        found[route].append(percentile(probe.times, 99) * 1000)


@dataclass(kw_only=True)
class _Probe:
    """Asks again and again, in a thread."""

    server: Server
    route: str
    times: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()

    def _run(self) -> None:
        while not self.over.wait(0.01):
            self.times += self.server.latencies(self.route, 1)
