"""People in the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session

from agent.auth.keys import OWNER
from agent.errors import AgentError
from agent.store import Store, files, jobs, new_jobs, people
from agent.store.people import ThingKind
from agent.store.store import MIGRATIONS
from shared.errors import ErrorCode
from shared.jobs import JobRequest
from shared.people import Action, GrantKind, RequestedBy, Role

MIA = RequestedBy(platform="telegram", person="17", chat="-1001", name="Mia", server="-1001", roles=("a",))


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "hearth.sqlite3")
    yield store
    await store.close()


def add_job(session: Session) -> str:
    files.add(session, file_id="file-1", filename="a.csv", size=1, sha256="0", path="files/1", now=0, requested_by=MIA)
    return new_jobs.create(session, JobRequest(model="m", training_file="file-1", requested_by=MIA), now=1).job.id


async def allow(store: Store, kind: GrantKind, subject: str, role: Role = Role.member) -> None:
    await store.run(people.grant, platform="telegram", kind=kind, subject=subject, name=subject, role=role, now=1.0)


async def test_job_and_file_remember_who_asked_and_where_but_not_what_allowed_it(store: Store) -> None:
    job_id = await store.run(add_job)
    kept = RequestedBy(platform="telegram", person="17", chat="-1001", name="Mia")
    assert (await store.run(jobs.get, job_id, now=1)).requested_by == kept
    assert (await store.run(people.thing_of, ThingKind.file, "file-1")).made_by == kept
    job = await store.run(people.thing_of, ThingKind.job, "1")
    assert (job.name, job.made_by) == ("Job #1", kept)


async def test_rows_of_before_read_as_they_did(tmp_path: Path) -> None:
    path = tmp_path / "hearth.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        names = "id, created_at, filename, purpose, bytes, sha256, path, platform, person, chat"
        values = "'file-1', 1, 'a.csv', 'fine-tune', 1, '0', 'files/1', 'telegram', '17', '-1001'"
        connection.exec_driver_sql(f"INSERT INTO files ({names}) VALUES ({values})")
    engine.dispose()
    store = await Store.open(path)
    thing = await store.run(people.thing_of, ThingKind.file, "file-1")
    assert thing.made_by == RequestedBy(platform="telegram", person="17", chat="-1001")
    assert (await store.run(people.load)).grants == ()
    await store.close()


async def test_pairing_replaces_the_owner_on_that_platform_alone(store: Store) -> None:
    on_discord = RequestedBy(platform="discord", person="m", chat="1", name="mia")
    for who in (RequestedBy(platform="telegram", person="1", chat="1"), on_discord, MIA):
        everybody = await store.run(people.pair, who, now=1)
    assert [(owner.platform, owner.id, owner.name) for owner in everybody.owners] == [
        ("discord", "m", "mia"),
        ("telegram", "17", "Mia"),
    ]


async def test_denied_person_who_knows_the_code_is_the_owner(store: Store) -> None:
    await allow(store, GrantKind.person, "17", Role.denied)
    await store.run(people.pair, MIA, now=1)
    assert [row.role for row in (await store.run(people.load)).grants] == [Role.owner]


async def test_owner_can_be_denied_or_made_less_by_nobody_and_taken_away_only_with_the_key(store: Store) -> None:
    await store.run(people.pair, MIA, now=1)
    for role in (Role.member, Role.denied):
        with pytest.raises(AgentError, match="Mia owns this machine"):
            await allow(store, GrantKind.person, "17", role)
    theirs = {"platform": "telegram", "kind": GrantKind.person, "subject": "17"}
    with pytest.raises(AgentError, match="only at the machine itself"):
        await store.run(people.take_away, **theirs, also_owner=False)  # type: ignore[arg-type]
    await store.run(people.take_away, **theirs, also_owner=True)  # type: ignore[arg-type]
    assert (await store.run(people.load)).owners == []


async def test_grant_made_again_changes_the_first(store: Store) -> None:
    for role in (Role.member, Role.admin, Role.denied):
        await allow(store, GrantKind.person, "9", role)
        assert [row.role for row in (await store.run(people.load)).grants] == [role]


async def test_stranger_does_not_learn_whether_a_job_exists(store: Store) -> None:
    for key in (await store.run(add_job), "ftjob-no"):
        with pytest.raises(AgentError) as refused:
            await store.run(people.check, OWNER, MIA, Action.watch_job, ThingKind.job, key)
        assert refused.value.code is ErrorCode.not_allowed
    await allow(store, GrantKind.chat, "-1001")
    assert await store.run(people.check, OWNER, MIA, Action.watch_job, ThingKind.job, "1") is Role.member
    with pytest.raises(AgentError, match="ftjob-no"):
        await store.run(people.check, OWNER, MIA, Action.watch_job, ThingKind.job, "ftjob-no")


async def test_model_is_approved_once_and_stays_so(store: Store) -> None:
    with pytest.raises(AgentError) as refused:
        await store.run(people.must_be_approved, "a/b")
    assert (refused.value.code, "a/b" in refused.value.message) == (ErrorCode.model_needs_approval, True)
    assert (await store.run(people.approve, "a/b", now=5)).approved_at == 5
    assert (await store.run(people.approve, "a/b", now=9)).approved_at == 5
    await store.run(people.must_be_approved, "a/b")
    assert await store.run(people.approved_models) == ["a/b"]
