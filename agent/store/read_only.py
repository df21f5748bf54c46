"""The database as commands of the GPU machine use it: beside a running agent, and beside none."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

BUSY_S = 10.0  # how long is waited for another program that has the file locked


@contextmanager
def reading(database: Path) -> Iterator[Session]:
    """Open the SQLite file for reading alone. Raises sqlalchemy's DatabaseError when it cannot be read."""
    with _session(database, "ro") as session:
        yield session


@contextmanager
def changing(database: Path) -> Iterator[Session]:
    """Open the SQLite file for one change. Raises sqlalchemy's DatabaseError, also for tables of an older version."""
    with _session(database, "rw") as session, session.begin():
        yield session


@contextmanager
def _session(database: Path, mode: Literal["ro", "rw"]) -> Iterator[Session]:
    uri = f"{database.as_uri()}?mode={mode}"
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_S), poolclass=sa.NullPool
    )
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()
