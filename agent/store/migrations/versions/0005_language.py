"""The language of whoever asked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("files", "plans", "jobs"):
        op.add_column(table, sa.Column("language", sa.String(), nullable=True))
