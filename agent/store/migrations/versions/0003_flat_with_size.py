"""Indexes for what would otherwise take longer with every job."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_ollama_name", "jobs", ["ollama_name"])
    op.create_index("ix_inspections_status", "inspections", ["status"])
