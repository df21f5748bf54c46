"""The database, read without touching it: works beside a running agent, and beside none."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session


@contextmanager
def reading(database: Path) -> Iterator[Session]:
    """Open the SQLite file for reading alone. Raises sqlalchemy's DatabaseError when it cannot be read."""
    uri = f"{database.as_uri()}?mode=ro"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sa.NullPool)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()
