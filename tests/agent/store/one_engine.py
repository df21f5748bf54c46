"""One database in memory for all stories of a test: a new one each would compile every statement anew."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.store.tables import Base

ENGINE = sa.create_engine("sqlite://")
Base.metadata.create_all(ENGINE)


def empty(session: Session) -> None:
    """Delete all rows."""
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(table.delete())
