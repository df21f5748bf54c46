"""A chat that goes on under another id keeps all that is its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.store import Store, chats, people
from agent.store.tables import Base
from shared.people import ChatMove, ChatMoved, GrantKind, Role

OLD, NEW = "-123", "-100777"
MOVE = ChatMove(platform="telegram", chat=OLD, to=NEW)
NOTHING = ChatMoved(platform="telegram", chat=OLD, to=NEW)
TABLES = [table for table in Base.metadata.tables.values() if "chat" in table.columns]


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "hearth.sqlite3")
    yield store
    await store.close()


def fill(session: Session, *, platform: str, chat: str) -> None:
    """Put a row into each table that names a chat."""
    for table in TABLES:
        row: dict[str, Any] = {
            column.name: f"{platform} {chat}" if isinstance(column.type, sa.String) else 0
            for column in table.columns
            if not column.nullable and column.name != "number"
        }
        session.execute(sa.insert(table).values(row | {"platform": platform, "chat": chat}))


def named(session: Session) -> dict[str, list[tuple[str, str]]]:
    """Return which chats each table names, with their platforms."""
    found = {}
    for table in TABLES:
        query = sa.select(table.c.platform, table.c.chat).order_by(table.c.platform, table.c.chat)
        found[table.name] = [(row.platform, row.chat) for row in session.execute(query)]
    return found


async def granted(store: Store) -> list[tuple[str, str, str]]:
    return [(grant.platform, grant.kind.value, grant.id) for grant in (await store.run(people.load)).grants]


async def allow(store: Store, platform: str, kind: GrantKind, subject: str) -> None:
    await store.run(people.grant, platform=platform, kind=kind, subject=subject, name="Team", role=Role.member, now=1.0)


async def test_every_table_that_names_the_chat_names_the_new_one_and_no_other_chat_is_touched(store: Store) -> None:
    for platform, chat in (("telegram", OLD), ("telegram", "-5"), ("discord", OLD)):
        await store.run(fill, platform=platform, chat=chat)
    moved = await store.run(chats.move, MOVE)
    assert (moved.files, moved.plans, moved.jobs) == (1, 1, 1)
    left = [("discord", OLD), ("telegram", NEW), ("telegram", "-5")]
    assert await store.run(named) == {table.name: left for table in TABLES}


async def test_what_is_granted_to_the_chat_is_granted_to_the_new_one_on_its_platform_alone(store: Store) -> None:
    for platform, kind in (
        ("telegram", GrantKind.chat),
        ("telegram", GrantKind.server),
        ("telegram", GrantKind.person),
        ("discord", GrantKind.chat),
    ):
        await allow(store, platform, kind, OLD)
    assert (await store.run(chats.move, MOVE)).grants == 2
    assert await granted(store) == [
        ("telegram", "chat", NEW),
        ("telegram", "server", NEW),
        ("telegram", "person", OLD),
        ("discord", "chat", OLD),
    ]


async def test_moved_again_or_of_a_chat_that_nobody_knows_there_is_nothing_to_move(store: Store) -> None:
    assert await store.run(chats.move, MOVE) == NOTHING
    await allow(store, "telegram", GrantKind.chat, OLD)
    await store.run(fill, platform="telegram", chat=OLD)
    assert await store.run(chats.move, MOVE) != NOTHING
    assert await store.run(chats.move, MOVE) == NOTHING


async def test_a_grant_that_the_new_chat_has_already_stays(store: Store) -> None:
    for subject in (OLD, NEW):
        await allow(store, "telegram", GrantKind.chat, subject)
    await store.run(chats.move, MOVE)
    assert await granted(store) == [("telegram", "chat", NEW)]
