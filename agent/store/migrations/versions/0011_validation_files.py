"""What is held out may be a file of its own. Until now it was always a part of the training rows."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("validation_file", sa.String(), nullable=True))
