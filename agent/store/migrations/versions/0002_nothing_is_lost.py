"""Pauses, attempts, scheduled starts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("start_at", WIDE, nullable=True),
        sa.Column("stage_detail", sa.String(), nullable=True),
        sa.Column("pause_wish", sa.String(), nullable=True),
        sa.Column("paused_for", sa.String(), nullable=True),
        sa.Column("attempt", WIDE, nullable=False, server_default="1"),
        sa.Column("died_stages", WIDE, nullable=True),
        sa.Column("died_step", WIDE, nullable=True),
        sa.Column("boot", sa.String(), nullable=True),
    ):
        op.add_column("jobs", column)
    op.create_table(
        "agent",
        sa.Column("id", WIDE, nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent"),
    )
