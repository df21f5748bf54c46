"""The store after years of use: 10,000 finished jobs and a million events against 100 jobs and 10,000 events.

What people wait for must take as long in the one as in the other. Times are those of `Store.run`, thread and
transaction included.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from agent.api.upload import remove_leftovers
from agent.machine.retention import Retention, RetentionRules
from agent.scheduling.worker import LOCAL
from agent.serve import _sweep
from agent.settings import AgentSettings
from agent.store import Store, events, files, inspections, jobs, measured_runs, queued_jobs, running_jobs
from agent.store.store import DATABASE
from agent.store.tables import AgentRow
from shared.files import FilePurpose
from shared.jobs import JobStatus
from tests.bench.figure import Bar, Figure, median
from tests.bench.filled_store import fill, job_id
from tests.bench.processes import run_agent

SMALL, BIG = (100, 10_000), (10_000, 1_000_000)  # finished jobs, events
AGAINST = "with 100 jobs and 10,000 events"
A_SECOND = Bar(limit=1.0)  # a command waits for it
FLAT = Bar(limit=2.0, of="ratio")
AGAIN = 20  # calls of a quick one in a round
PATIENCE_S = 1.0  # and no longer than this on one in a round


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A filled data folder, opened."""

    store: Store
    settings: AgentSettings
    jobs: int
    events: int

    @property
    def middle(self) -> str:
        """Return the id of a job neither old nor new."""
        return job_id(self.jobs // 2)


Call = Callable[[Filled], Awaitable[object]]


def run(work: Path, rounds: int) -> Iterator[Figure]:
    """Fill two data folders, then measure what should stay flat."""
    folders = {}
    for name, (finished, count) in {"small": SMALL, "big": BIG}.items():
        began = time.perf_counter()
        folders[name] = work / name
        fill(folders[name], finished=finished, events=count, queued=1, folders=True)
        size = (folders[name] / DATABASE).stat().st_size / 1024**2
        print(f"store with {finished} jobs, {count} events: {size:.0f} MiB, filled in "
              f"{time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    yield from asyncio.run(_measure(folders["small"], folders["big"], rounds))
    yield from _agents(folders["small"], folders["big"], rounds)


async def _measure(small_dir: Path, big_dir: Path, rounds: int) -> list[Figure]:
    opening = {path: [await _seconds_to_open(path) for _ in range(rounds)] for path in (small_dir, big_dir)}
    figures = [_figure("Store.open", median(opening[big_dir]), median(opening[small_dir]), FLAT)]
    async with _opened(small_dir, *SMALL) as small, _opened(big_dir, *BIG) as big:
        for what, call, bar in CALLS:
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(rounds):
                theirs += await _seconds(call, small)
                ours += await _seconds(call, big)
            figures.append(_figure(what, median(ours), median(theirs), bar))
    return figures


def _figure(what: str, ours_s: float, theirs_s: float, bar: Bar | None) -> Figure:
    return Figure(what=what, ours=ours_s * 1000, unit="ms", theirs=theirs_s * 1000, against=AGAINST, bar=bar)


async def _seconds_to_open(data_dir: Path) -> float:
    began = time.perf_counter()
    store = await Store.open(data_dir / DATABASE)
    took = time.perf_counter() - began
    await store.close()
    return took


@contextlib.asynccontextmanager
async def _opened(data_dir: Path, finished: int, count: int) -> AsyncIterator[Filled]:
    store = await Store.open(data_dir / DATABASE)
    try:
        yield Filled(store=store, settings=AgentSettings(hearth_data_dir=data_dir), jobs=finished, events=count)
    finally:
        await store.close()


async def _seconds(call: Call, filled: Filled) -> list[float]:
    await call(filled)
    found: list[float] = []
    while len(found) < AGAIN and sum(found) < PATIENCE_S:
        began = time.perf_counter()
        await call(filled)
        found.append(time.perf_counter() - began)
    return found


class _UndoneError(Exception):
    """Rolls a transaction back."""


async def _claim(filled: Filled) -> None:
    """Claim the one queued job, as if the machine were not paused, and undo it."""

    def claim(session: Session) -> None:
        session.merge(AgentRow(id=1, paused=False))
        assert running_jobs.claim_next(session, worker=LOCAL, now=time.time()) is not None
        raise _UndoneError

    with contextlib.suppress(_UndoneError):
        await filled.store.run(claim)


async def _retention(filled: Filled) -> None:
    rules = RetentionRules(keep_days=30, floor_mib=0)
    settings = filled.settings
    retention = Retention(
        rules=rules, data_dir=settings.hearth_data_dir, base_models=settings.base_models_dir, clock=time.time
    )
    await _sweep(retention, filled.store, settings)


def _run(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Call:
    return lambda filled: filled.store.run(function, *arguments, **keywords)


NOW = time.time()
CALLS: tuple[tuple[str, Call, Bar | None], ...] = (
    ("list: newest 20 jobs", _run(jobs.listing, limit=20, after=None, now=NOW), FLAT),
    ("list: 20 jobs from the middle on", lambda f: f.store.run(jobs.listing, limit=20, after=f.middle, now=NOW), FLAT),
    ("one job by its id", lambda f: f.store.run(jobs.get, f.middle, now=NOW), FLAT),
    ("one job by its number", lambda f: f.store.run(jobs.get, str(f.jobs // 2), now=NOW), FLAT),
    ("newest 20 events of a job", lambda f: f.store.run(events.newest, f.middle, limit=20, after=None), FLAT),
    ("loss curve of a job", lambda f: f.store.run(events.records_of, f.middle, "progress", "evaluation"), FLAT),
    ("tail: a job's events from its 50th", lambda f: f.store.run(events.of_job, f.middle, after=50), FLAT),
    ("tail: a page of the feed from the middle", lambda f: f.store.run(events.of_agent, after=f.events // 2), FLAT),
    ("tail: the feed when nothing is new", lambda f: f.store.run(events.of_agent, after=f.events), FLAT),
    ("newest cursor", _run(events.latest_cursor), FLAT),
    ("place and wait of a new job", _run(queued_jobs.outlook, now=NOW), FLAT),
    ("next job to run", _run(queued_jobs.next_job_id, now=NOW), FLAT),
    ("claim the next job", _claim, FLAT),
    ("running jobs", _run(jobs.with_status, JobStatus.running), FLAT),
    ("cancelled jobs to wind up", _run(running_jobs.to_wind_up), FLAT),
    ("speeds measured, for a plan", _run(measured_runs.newest), FLAT),
    ("files: newest 20", _run(files.listing, limit=20, after=None, purpose=None), FLAT),
    ("files: newest 20 datasets", _run(files.listing, limit=20, after=None, purpose=FilePurpose.fine_tune), FLAT),
    ("files of a job", lambda f: f.store.run(files.result_ids, f.middle), FLAT),
    ("GET /v1/files without a limit", _run(files.listing, limit=10_000, after=None, purpose=None), None),
    ("models: all tuned ones, which /models shows", _run(jobs.tuned), None),
    ("start: interrupted inspections", _run(inspections.fail_interrupted), None),
    ("start: jobs being validated", _run(jobs.with_status, JobStatus.validating_files), FLAT),
    ("start: remove leftovers", lambda f: remove_leftovers(f.settings, f.store), None),
    ("sweep: ended jobs", _run(jobs.ended), None),
    ("sweep: models in use", _run(jobs.models_in_use), None),
    ("sweep of the disk, hourly, in a thread", _retention, None),
)  # fmt: skip


def _agents(small_dir: Path, big_dir: Path, rounds: int) -> Iterator[Figure]:
    """Start a whole agent on each folder."""
    found: dict[Path, list[tuple[float, ...]]] = {small_dir: [], big_dir: []}
    for _ in range(rounds):
        for path, runs in found.items():
            with run_agent(path) as agent:
                health = max(agent.latencies("/healthz", 200))  # while the first sweep runs
                idle = agent.settled_mib()
                listing = median(agent.latencies("/v1/fine_tuning/jobs", 20))
                models = median(agent.latencies("/v1/models", 3))
                runs.append((agent.start_s, health, idle, listing, models, agent.resident_mib()))
    small, big = ([median(column) for column in zip(*runs, strict=True)] for runs in found.values())
    rows = (
        ("agent start", "s", Bar(limit=3.0)),
        ("slowest of 200 GET /healthz just after the start", "s", None),
        ("agent resident, idle", "MiB", Bar(limit=150)),
        ("GET /v1/fine_tuning/jobs", "s", FLAT),
        ("GET /v1/models", "s", A_SECOND),
        ("agent resident, after that", "MiB", Bar(limit=150)),
    )
    for (what, unit, bar), ours, theirs in zip(rows, big, small, strict=True):
        yield Figure(what=what, ours=ours, unit=unit, theirs=theirs, against=AGAINST, bar=bar)
