"""Which datasets count as unused: by when somebody did something with them, and by what still refers to them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session

from agent.store import Store, files, inspections, new_jobs, plans, unused
from agent.store.plans import StoredPlan
from agent.store.store import MIGRATIONS
from agent.store.tables import FileRow, JobRow, PlanRow
from shared.inspections import DatasetForm, Inspection
from shared.jobs import JobRequest, JobStatus
from shared.people import RequestedBy
from shared.plans import PlanRequest
from tests.agent.fake_inspector import CARD, MODEL
from tests.agent.plan.cases import findings, machine, planned

MIA = RequestedBy(platform="telegram", person="17", chat="-1")
TOM = RequestedBy(platform="telegram", person="18", chat="-1")
TOM_AT_HOME = TOM.model_copy(update={"chat": "18"})
NOW, SINCE = 1000, 900  # what was not used since 900 is unused


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "hearth.sqlite3")
    yield store
    await store.close()


def add(session: Session, name: str, *, at: int = 10, who: RequestedBy | None = MIA, parent: str | None = None) -> None:
    files.add(
        session, file_id=name, filename=f"{name}.jsonl", size=len(name), sha256="0", path=f"files/{name}", now=at,
        requested_by=who, parent=parent,
    )  # fmt: skip


def job(session: Session, file: str, *, at: int = 10, ended: int | None = None, status: str = "failed") -> JobRow:
    made = new_jobs.create(session, JobRequest(model="m", training_file=file), now=at).job
    row = session.scalars(sa.select(JobRow).where(JobRow.id == made.id)).one()
    if ended is not None:
        row.status, row.finished_at = status, ended
    return row


async def names(store: Store, of: RequestedBy | None = None, sent_in: RequestedBy | None = None) -> list[str]:
    found = await store.run(unused.listing, now=NOW, since=SINCE, of=of, sent_in=sent_in)
    return [file.id for file in found]


async def test_what_was_sent_long_ago_and_never_used_since_is_unused_the_largest_first(store: Store) -> None:
    for name, at in (("a", 10), ("abc", 20), ("new", 950)):
        await store.run(add, name, at=at)
    assert await names(store) == ["abc", "a"]


async def test_reading_planning_training_and_mending_are_uses(store: Store) -> None:
    plan = planned(PlanRequest(model=MODEL, training_file="file-1"), CARD, findings(), machine())

    def use(session: Session) -> dict[str, int]:
        for name in ("read", "planned", "trained", "mended", "left"):
            add(session, name)
        inspections.add(session, Inspection(id="i", created_at=950, status="running", file_id="read", model="m"))
        update = {"training_file": "planned", "created_at": 951}
        kept = StoredPlan(plan=plan.model_copy(update=update), card=CARD, form=DatasetForm.messages)
        plans.add(session, kept, requested_by=None)
        job(session, "trained", at=952)
        add(session, "child", at=953, parent="mended")
        files.note_use(session, "left", now=5)  # a clock that was set back makes nothing older
        return {row.id: row.used_at for row in session.scalars(sa.select(FileRow))}

    used = await store.run(use)
    assert used == {"read": 950, "planned": 951, "trained": 952, "mended": 953, "child": 953, "left": 10}
    assert await names(store) == ["left"]


@pytest.mark.parametrize(("ended", "is_unused"), [(None, False), (950, False), (500, True)])
async def test_a_job_that_goes_on_or_ended_lately_keeps_its_dataset(
    store: Store, ended: int | None, *, is_unused: bool
) -> None:
    def use(session: Session) -> None:
        add(session, "rows")
        job(session, "rows", ended=ended)

    await store.run(use)
    assert await names(store) == (["rows"] if is_unused else [])


async def test_a_job_whose_results_are_here_keeps_its_dataset_until_they_are_deleted(store: Store) -> None:
    def use(session: Session) -> str:
        add(session, "rows")
        done = job(session, "rows", ended=500, status=JobStatus.succeeded)
        result = files.add_result(session, job=done, filename="a.gguf", size=1, sha256="0", path="jobs/a", now=500)
        return result.id

    result = await store.run(use)
    assert await names(store) == []
    await store.run(files.delete, result)
    assert await names(store) == ["rows"]


@pytest.mark.parametrize(("expires", "is_unused"), [(NOW + 1, False), (NOW - 1, True)])
async def test_a_plan_that_holds_keeps_its_dataset(store: Store, expires: int, *, is_unused: bool) -> None:
    def use(session: Session) -> None:
        add(session, "rows")
        session.add(
            PlanRow(id="p", created_at=10, expires_at=expires, file_id="rows", form="messages", plan="{}", card="{}")
        )

    await store.run(use)
    assert await names(store) == (["rows"] if is_unused else [])


async def test_they_are_told_apart_by_whose_they_are_and_where_they_were_sent(store: Store) -> None:
    for name, who in (("mias", MIA), ("toms", TOM), ("home", TOM_AT_HOME), ("keys", None)):
        await store.run(add, name, who=who)
    assert sorted(await names(store)) == ["home", "keys", "mias", "toms"]
    assert sorted(await names(store, of=TOM)) == ["home", "toms"]
    assert sorted(await names(store, sent_in=MIA)) == ["mias", "toms"]
    assert await names(store, of=TOM, sent_in=MIA) == ["toms"]


async def test_a_store_of_before_knows_the_last_use_by_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "hearth.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for number, file in enumerate(("never", "trained"), 1):
            connection.exec_driver_sql(
                "INSERT INTO files (number, id, created_at, filename, purpose, bytes, sha256, path) "
                f"VALUES ({number}, '{file}', 10, 'a', 'fine-tune', 1, '0', 'files/{number}')"
            )
        for number in (70, 60):
            connection.exec_driver_sql(
                "INSERT INTO jobs (id, created_at, status, model, training_file, seed, method, cancel_requested, "
                f"tail_offset) VALUES ('ftjob-{number}', {number}, 'failed', 'm', 'trained', 1, '', 0, 0)"
            )
    engine.dispose()
    store = await Store.open(path)
    used = await store.run(lambda session: {row.id: row.used_at for row in session.scalars(sa.select(FileRow))})
    await store.close()
    assert used == {"never": 10, "trained": 70}


async def test_what_an_open_job_holds_out_is_in_use(store: Store) -> None:
    def start(session: Session) -> None:
        new_jobs.create(session, JobRequest(model="m", training_file="a", validation_file="held"), now=10)

    for name in ("a", "held", "other"):
        await store.run(add, name)
    await store.run(start)
    assert await names(store) == ["other"]
