"""Of jobs that ended a day ago most progress goes, in the store and in the folder; nothing that is asked for later."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent import serve
from agent.diagnosis.curve_thinning import LIMIT
from agent.machine.retention import Retention, RetentionRules
from agent.running import event_pruning as sweep
from agent.running.event_pruning import WHOLE_S, prune_events, thin_file
from agent.settings import AgentSettings
from agent.store import Store, events, files, jobs, new_jobs, pruning
from agent.store.store import DATABASE
from agent.store.tables import EventRow
from shared.events import (
    CheckpointData,
    EvaluationData,
    Event,
    EventData,
    EventRecord,
    ProgressData,
    QueueData,
    StageData,
    StateData,
)
from shared.jobs import JobRequest, JobStatus, Stage

ENDED = 1_000_000
STEPS = 3_000
LATER = ENDED + WHOLE_S + 1


@pytest_asyncio.fixture
async def store(settings: AgentSettings) -> AsyncIterator[Store]:
    store = await Store.open(settings.hearth_data_dir / DATABASE)
    yield store
    await store.close()


def progress(step: int) -> ProgressData:
    return ProgressData(
        step=step, total_steps=STEPS, epoch=0, n_epochs=1, loss=3 - step / STEPS, learning_rate=1e-4, grad_norm=None,
        tokens_per_s=None, memory_mib=None, eta_s=None, trained_tokens=step,
    )  # fmt: skip


def course() -> list[EventData]:
    """Return what a trainer says of a long training."""
    said: list[EventData] = [StageData(stage=Stage.train, done=False)]
    for step in range(1, STEPS + 1):
        said.append(progress(step))
        if step % 100 == 0:
            loss = 3 - step / STEPS
            said.append(EvaluationData(step=step, split="validation", loss=loss, best_loss=loss, best_step=step))
            said.append(CheckpointData(step=step, train_loss=loss, valid_loss=loss, best=True))
    return said


def records(data: list[EventData]) -> list[EventRecord]:
    return [EventRecord(created_at=ENDED, message=each.kind, data=each) for each in data]


def add_job(session: Session, *, ended: bool = True) -> str:
    """Make a job that said all that; unless it `ended`, it is still to be validated."""
    name = f"file-{events.latest_cursor(session)}"
    files.add(session, file_id=name, filename="a", size=1, sha256="0", path=name, now=0, requested_by=None)
    job_id = new_jobs.create(session, JobRequest(model="m", training_file=name), now=1).job.id
    events.append(session, job_id, records([QueueData(position=at, wait_s=None) for at in (3, 2, 1)]))
    told = events.latest_sequence(session, job_id)
    rows = [
        {"job_id": job_id, "sequence": told + at, "kind": record.data.kind, "record": record.model_dump_json()}
        for at, record in enumerate(records(course()), start=1)
    ]
    session.execute(sa.insert(EventRow), rows)
    if ended:
        jobs.move(session, job_id, JobStatus.cancelled, now=ENDED, message="Ended")
    return job_id


async def feed(store: Store, *, after: int = 0) -> list[Event]:
    """Read the agent's feed as its clients do, page by page."""
    found: list[Event] = []
    while (page := await store.run(events.of_agent, after=after)).events:
        found += page.events
        after = page.upto
    return found


def kinds(found: list[Event]) -> dict[str, int]:
    return {kind: sum(event.data.kind == kind for event in found) for kind in {event.data.kind for event in found}}


async def test_a_day_after_its_end_a_job_keeps_a_few_hundred_steps_and_all_else(
    store: Store, settings: AgentSettings
) -> None:
    job_id = await store.run(add_job)
    before = kinds(await feed(store))
    await prune_events(store, settings, now=LATER)
    after = kinds(await feed(store))
    assert 200 < after.pop("progress") <= LIMIT < before.pop("progress")
    assert "queue" not in after
    assert before.pop("queue") == 3
    assert after == before == {"state": 2, "stage": 1, "evaluation": 30, "checkpoint": 30}
    assert len((await store.run(jobs.checkpoints, job_id, limit=100, after=None))[0]) == 30


async def test_jobs_that_go_on_or_ended_just_now_keep_all(store: Store, settings: AgentSettings) -> None:
    await store.run(add_job, ended=False)
    await store.run(add_job)
    before = await feed(store)
    await prune_events(store, settings, now=LATER - 2)
    assert await feed(store) == before


async def test_whoever_stands_at_an_event_that_went_simply_goes_on(store: Store, settings: AgentSettings) -> None:
    job_id = await store.run(add_job)
    before = await feed(store)
    await prune_events(store, settings, now=LATER)
    left = await feed(store)
    gone = [event for event in before if event not in left]
    assert await store.run(events.latest_cursor) == before[-1].cursor
    for event in gone[::500]:
        assert await feed(store, after=event.cursor) == [each for each in left if each.cursor > event.cursor]
        page, _more = await store.run(events.newest, job_id, limit=1, after=event.id)
        assert page == [each for each in left if each.cursor < event.cursor][-1:]
        behind = await store.run(events.of_job, job_id, after=event.sequence)
        assert behind.events[0] == next(each for each in left if each.cursor > event.cursor)


async def test_what_was_pruned_is_pruned_no_more(store: Store, settings: AgentSettings) -> None:
    await store.run(add_job)
    await prune_events(store, settings, now=LATER)
    once = await feed(store)
    await prune_events(store, settings, now=LATER + 3600)
    assert await feed(store) == once


async def test_a_sweep_that_was_cut_off_half_way_is_finished_by_the_next_as_if_it_had_been_one(
    store: Store, settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await store.run(add_job)
    forget, calls = pruning.forget, iter(range(1000))

    def cut_off(*arguments: Any) -> None:
        if next(calls) == 10:
            raise OSError("cut off")
        forget(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pruning, "forget", cut_off)
        await prune_events(store, settings, now=LATER)  # logged; the sweep goes on
    assert await store.run(pruning.has_too_many, job_id)
    await prune_events(store, settings, now=LATER)
    halved = [event.sequence for event in await feed(store)]
    other = await store.run(add_job)
    await prune_events(store, settings, now=LATER)
    assert halved == [event.sequence for event in await feed(store) if event.job_id == other]


async def test_one_spoilt_job_stops_no_other(
    store: Store, settings: AgentSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt, well = await store.run(add_job), await store.run(add_job)

    def thin(path: Path) -> None:
        if path.parent.name == spoilt:
            raise PermissionError(path)

    monkeypatch.setattr(sweep, "thin_file", thin)
    await prune_events(store, settings, now=LATER)
    assert not await store.run(pruning.has_too_many, well)
    assert f"{spoilt}: its events are pruned at the next sweep" in caplog.text


async def test_no_transaction_reads_or_removes_more_than_a_few_hundred_rows(
    store: Store, settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.run(add_job)
    sizes: list[int] = []
    run = store.run

    async def watched(func: Any, *arguments: Any, **named: Any) -> Any:
        found = await run(func, *arguments, **named)
        sizes.extend(len(each) for each in (found, *arguments) if isinstance(each, list))
        return found

    monkeypatch.setattr(store, "run", watched)
    await prune_events(store, settings, now=LATER)
    assert 0 < max(sizes) <= pruning.AT_ONCE


async def test_the_sweep_that_recurs_prunes(store: Store, settings: AgentSettings) -> None:
    job_id = await store.run(add_job)
    base_models = settings.base_models_dir
    rules = RetentionRules(keep_days=1, floor_mib=0)
    retention = Retention(rules=rules, data_dir=settings.hearth_data_dir, base_models=base_models, clock=lambda: LATER)
    await serve._sweep(retention, store, settings)
    assert not await store.run(pruning.has_too_many, job_id)


def test_the_file_of_an_ended_job_is_thinned_like_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    told = [record.model_dump_json() + "\n" for record in records([*course(), StateData(status=JobStatus.succeeded)])]
    path.write_text("".join(told))
    thin_file(path)
    left = path.read_text().splitlines(keepends=True)
    places = [told.index(line) for line in left]
    assert all(before < after for before, after in pairwise(places))
    steps = [line for line in left if '"kind":"progress"' in line]
    assert 200 < len(steps) <= LIMIT
    assert len(left) - len(steps) == len(told) - STEPS
    thin_file(path)
    assert path.read_text().splitlines(keepends=True) == left


def test_a_job_without_its_file_has_nothing_to_thin(tmp_path: Path) -> None:
    thin_file(tmp_path / "events.jsonl")
    assert not list(tmp_path.iterdir())
