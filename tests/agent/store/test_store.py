"""The store's promises: transactions, moves, the schema."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from agent.errors import AgentError
from agent.store import Store, events, files, inspections, jobs, new_jobs, plans
from agent.store.store import MIGRATIONS, newest_revision
from agent.store.tables import Base, InspectionRow, JobRow, PlanRow
from shared.jobs import MOVES, JobRequest, JobStatus


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "hearth.sqlite3")
    yield store
    await store.close()


def add_file(session: Session) -> str:
    files.add(
        session, file_id="file-1", filename="a", size=1, sha256="0", path="files/file-1", now=0, requested_by=None
    )
    return "file-1"


def add_job(session: Session) -> str:
    request = JobRequest(model="m", training_file=add_file(session))
    return new_jobs.create(session, request, now=1).job.id


async def test_pragmas_make_a_commit_survive_a_power_cut(store: Store) -> None:
    def read(session: Session) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [session.scalar(sa.text(f"PRAGMA {name}")) for name in names]

    assert await store.run(read) == ["wal", 2, 1]


async def test_failed_function_leaves_nothing_behind(store: Store) -> None:
    def fail(session: Session) -> None:
        add_file(session)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.run(fail)
    assert await store.run(files.listing, limit=10, after=None, purpose=None) == ([], False)


OPENED = """
import asyncio, sys
from pathlib import Path
from agent.store import Store

async def reopen():
    await (await Store.open(Path(sys.argv[1]))).close()

asyncio.run(reopen())
print("alembic" in sys.modules)
"""


@pytest.mark.process
def test_alembic_is_imported_only_where_the_tables_are_old(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENED, str(tmp_path / "hearth.sqlite3")]
    assert [subprocess.check_output(command, text=True).strip() for _ in range(2)] == ["True", "False"]


def test_the_newest_revision_is_the_last_one_of_the_migrations() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == newest_revision()


async def test_migrations_make_exactly_the_tables(store: Store, tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'hearth.sqlite3'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


async def test_reopened_store_has_what_was_committed(tmp_path: Path) -> None:
    first = await Store.open(tmp_path / "hearth.sqlite3")
    job_id = await first.run(add_job)
    await first.close()
    second = await Store.open(tmp_path / "hearth.sqlite3")
    assert (await second.run(jobs.get, "1", now=1)).id == job_id
    await second.close()


async def test_only_the_moves_of_the_table_are_made(store: Store) -> None:
    job_id = await store.run(add_job)

    def place(session: Session, status: JobStatus) -> None:
        session.execute(sa.update(JobRow).values(status=status))

    for start, to in itertools.product(JobStatus, JobStatus):
        await store.run(place, start)
        before = await store.run(events.latest_cursor)
        if to in MOVES[start]:
            assert (await store.run(jobs.move, job_id, to, now=2, message="moved")).status == to
            [event, *_] = (await store.run(events.of_agent, after=before)).events
            assert (event.message, event.data.kind) == ("moved", "state")
            continue
        with pytest.raises((ValueError, AgentError)):
            await store.run(jobs.move, job_id, to, now=2, message="moved")
        assert (await store.run(jobs.get, job_id, now=2)).status == start
        assert await store.run(events.latest_cursor) == before


async def test_bell_rings_for_events_and_not_for_reading(store: Store) -> None:
    news = store.bell.listen()
    await store.run(jobs.listing, limit=1, after=None, now=1)
    assert not news.is_set()
    await store.run(add_job)
    assert news.is_set()
    assert not store.bell.listen().is_set()


async def test_calls_from_many_tasks_come_one_after_the_other(store: Store) -> None:
    await store.run(add_file)

    def add(session: Session) -> int:
        return new_jobs.create(session, JobRequest(model="m", training_file="file-1"), now=1).job.number

    numbers = await asyncio.gather(*(store.run(add) for _ in range(20)))
    assert sorted(numbers) == list(range(1, 21))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("toast.jsonl", "toast.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\mia\\toast.csv", "toast.csv"),
        ("a\u202egpj.exe\u0000\n", "agpj.exe"),
        ("", "file"),
        ("..", "file"),
        ("x" * 300 + ".jsonl", "x" * 114 + ".jsonl"),
        ("brötchen 🍞.json", "brötchen 🍞.json"),
    ],
)
def test_file_names_are_safe_to_show(given: str, shown: str) -> None:
    assert files.safe_name(given) == shown


async def test_what_nobody_will_ask_about_is_forgotten_and_what_a_job_needs_is_not(store: Store) -> None:
    def fill(session: Session) -> None:
        add_job(session)
        for plan_id, expires_at in (("ftplan-used", 10), ("ftplan-old", 10), ("ftplan-new", 1000)):
            row = PlanRow(id=plan_id, created_at=0, expires_at=expires_at, file_id="file-1", form="", plan="", card="")
            session.add(row)
        for inspection_id, created_at in (("insp-old", 0), ("insp-new", inspections.KEPT_S)):
            old = InspectionRow(id=inspection_id, created_at=created_at, file_id="file-1", model="m")
            old.status, old.inspection = "completed", ""
            session.add(old)
        session.flush()
        session.scalars(sa.select(JobRow)).one().plan_id = "ftplan-used"

    def ids(session: Session) -> list[str]:
        return [*session.scalars(sa.select(PlanRow.id)), *session.scalars(sa.select(InspectionRow.id))]

    await store.run(fill)
    await store.run(plans.forget_expired, now=100)
    await store.run(inspections.forget_old, now=inspections.KEPT_S + 100)
    assert sorted(await store.run(ids)) == ["ftplan-new", "ftplan-used", "insp-new"]
