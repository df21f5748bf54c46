"""How a file is read that does not say so itself: kept with its inspection and with a job."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inspections", sa.Column("mapping", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("mapping", sa.Text(), nullable=True))
