"""Where jobs train. What ran until now ran on the agent's own machine."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LOCAL = "local"


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("memory_mib", WIDE, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    op.add_column("jobs", sa.Column("worker", sa.String(), nullable=True))
    jobs = sa.table("jobs", sa.column("worker"), sa.column("started_at"))
    op.execute(sa.update(jobs).values(worker=LOCAL).where(jobs.c.started_at.is_not(None)))
