"""When a dataset was used last."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
USES = (("inspections", "file_id"), ("plans", "file_id"), ("jobs", "training_file"))


def upgrade() -> None:
    op.add_column("files", sa.Column("used_at", WIDE, nullable=False, server_default="0"))
    files = sa.table("files", *map(sa.column, ("id", "created_at", "used_at")))
    op.execute(sa.update(files).values(used_at=files.c.created_at))
    for name, of_file in USES:
        table = sa.table(name, sa.column(of_file), sa.column("created_at"))
        newest = sa.select(sa.func.max(table.c.created_at)).where(table.c[of_file] == files.c.id).scalar_subquery()
        op.execute(sa.update(files).values(used_at=newest).where(newest > files.c.used_at))
