"""People, and models that need the owner's yes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("files", "plans", "jobs"):
        op.add_column(table, sa.Column("person_name", sa.String(), nullable=True))
    op.create_table(
        "grants",
        sa.Column("number", WIDE, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", WIDE, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_grants"),
        sa.UniqueConstraint("platform", "kind", "subject", name="uq_grants_platform_kind_subject"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "approvals",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("approved_at", WIDE, nullable=False),
        sa.PrimaryKeyConstraint("model", name="pk_approvals"),
    )
