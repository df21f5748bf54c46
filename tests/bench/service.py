"""The service: start and memory of agent and bot, time to answer a command, API latency, uploads, watchers."""

import contextlib
import json
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from agent.children.priority import NICENESS
from tests.bench import watchers
from tests.bench.figure import Bar, Figure, median, percentile
from tests.bench.filled_store import fill
from tests.bench.processes import (
    Server,
    busy_cores,
    run_agent,
    run_bare_server,
    run_bot,
    sleeping_machine,
)

COMMANDS = ("/help", "/status", "/jobs", "/models")
ROUTES = ("/healthz", "/v1/agent", "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/50/events")
REQUESTS = 300  # of each route, in each round
UPLOAD_MIB = 200
A_SECOND = Bar(limit=1.0)
BARE = "bare aiohttp server"
NOBODY = "http://127.0.0.1:1"

Found = dict[str, list[float]]


def run(work: Path, rounds: int) -> Iterator[Figure]:
    """Measure the service."""
    work.mkdir(parents=True)
    cores = os.cpu_count() or 1
    print(f"A busy machine: {cores} processes that count, one a core, with a trainer's niceness of {NICENESS}; they "
          "stand in for a training and use no memory bandwidth.", flush=True)  # fmt: skip
    yield from _starts(work, rounds)
    yield from _traffic(work, rounds)
    yield from watchers.run(work / "watchers", rounds)


def _starts(work: Path, rounds: int) -> Iterator[Figure]:
    found: Found = defaultdict(list)
    for number in range(rounds):
        with run_bare_server() as bare:
            found["bare start"].append(bare.start_s)
            found["bare memory"].append(bare.resident_mib())
        with run_agent(work / f"fresh-{number}") as agent:
            found["agent start"].append(agent.start_s)
            found["agent memory"].append(agent.settled_mib())
            with run_bot(work / f"bot-{number}", url=agent.url, key=agent.key) as bot:
                found["bot start"].append(bot.ask("/help", since=bot.spawned_at).first_s)
                bot.ask("/status")
                time.sleep(5)
                found["bot memory"].append(bot.resident_mib())
    rows = (
        ("agent start, on an empty folder, to its first answer", "agent start", "bare start", "s", 3.0),
        ("agent resident, idle", "agent memory", "bare memory", "MiB", 150.0),
        ("bot start, to its answer to /help", "bot start", None, "s", 2.0),
        ("bot resident, idle, terminal chat alone", "bot memory", None, "MiB", 120.0),
    )
    for what, key, other, unit, limit in rows:
        theirs = median(found[other]) if other else None
        yield Figure(what=what, ours=median(found[key]), unit=unit, theirs=theirs, against=BARE, bar=Bar(limit=limit))


def _traffic(work: Path, rounds: int) -> Iterator[Figure]:
    """Ask the agent, through the API and through the bot, idle and on a busy machine."""
    data_dir = work / "used"
    fill(data_dir, finished=100, events=10_000)
    found: Found = defaultdict(list)
    dataset = work / "upload.bin"
    _write(dataset)
    with run_agent(data_dir) as agent, run_bare_server() as bare:
        for number in range(rounds):
            for machine in ("idle", "busy"):
                with busy_cores() if machine == "busy" else contextlib.nullcontext():
                    _ask_api(found, machine, agent, bare)
                    _ask_bot(found, f"{machine} machine", work / f"{machine}-{number}", agent.url, agent.key)
            _ask_bot(found, "agent down", work / f"down-{number}", NOBODY)
            with sleeping_machine() as url:
                _ask_bot(found, "agent's PC asleep", work / f"asleep-{number}", url)
            _upload(found, dataset, agent)
    yield from _commands(found)
    yield from _latencies(found)
    size = f"upload of {UPLOAD_MIB} MiB"
    for against in ("cp + sha256sum", "cp + sync + sha256sum"):
        yield Figure(what=size, ours=median(found[size]), unit="s", theirs=median(found[against]), against=against)


def _ask_api(found: Found, machine: str, agent: Server, bare: Server) -> None:
    for route in ROUTES:
        times = agent.latencies(route, REQUESTS)
        for percent in (50, 99):
            found[f"{route} {machine} {percent}"].append(percentile(times, percent))
    times = bare.latencies("/healthz", REQUESTS)
    for percent in (50, 99):
        found[f"bare {machine} {percent}"].append(percentile(times, percent))


def _latencies(found: Found) -> Iterator[Figure]:
    for machine in ("idle", "busy"):
        for percent in (50, 99):
            for route in ROUTES:
                yield Figure(
                    what=f"GET {route}, {machine} machine, p{percent} of {REQUESTS}",
                    ours=median(found[f"{route} {machine} {percent}"]) * 1000, unit="ms",
                    theirs=median(found[f"bare {machine} {percent}"]) * 1000, against=BARE,
                )  # fmt: skip


def _ask_bot(found: Found, situation: str, folder: Path, url: str, key: str = "") -> None:
    with run_bot(folder, url=url, key=key) as bot:
        bot.ask("/help")
        for command in COMMANDS:
            answered = bot.ask(command)
            found[f"{situation}: {command} answered"].append(answered.first_s)
            found[f"{situation}: {command} complete"].append(answered.last_s)


def _commands(found: Found) -> Iterator[Figure]:
    for key in [key for key in found if key.endswith(" answered")]:
        yield Figure(what=key, ours=max(found[key]), unit="s (slowest)", bar=A_SECOND)
        complete = max(found[key.replace(" answered", " complete")])
        if complete > A_SECOND.limit:
            yield Figure(what=key.replace(" answered", " complete"), ours=complete, unit="s (slowest)")


def _write(path: Path) -> None:
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for _ in range(UPLOAD_MIB):
            file.write(block)


def _upload(found: Found, dataset: Path, agent: Server) -> None:
    began = time.perf_counter()
    name = _send(dataset, agent)
    found[f"upload of {UPLOAD_MIB} MiB"].append(time.perf_counter() - began)
    with contextlib.closing(agent.connect()) as connection:
        agent.ask(connection, "DELETE", f"/v1/files/{name}")
    copy = dataset.with_suffix(".copy")
    for against in ("cp + sha256sum", "cp + sync + sha256sum"):
        began = time.perf_counter()
        subprocess.run(["cp", str(dataset), str(copy)], check=True)
        if "sync" in against:
            subprocess.run(["sync", str(copy)], check=True)
        subprocess.run(["sha256sum", str(copy)], check=True, capture_output=True)
        found[against].append(time.perf_counter() - began)
        copy.unlink()


def _send(dataset: Path, agent: Server) -> str:
    """Send a file as curl does; return its id."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--header", f"Authorization: Bearer {agent.key}",
         "--header", "Expect:", "--form", "purpose=fine-tune", "--form", f"file=@{dataset}", f"{agent.url}/v1/files"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return str(json.loads(done.stdout)["id"])
