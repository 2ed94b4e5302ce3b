"""GPU-hours by day, project, user and profile, and which days are summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("profile", sa.String(40), primary_key=True),
        sa.Column("gpu_hours", sa.Float, nullable=False),
        sa.Column("cpu_hours", sa.Float, nullable=False),
        sa.Column("jobs", sa.Integer, nullable=False),
    )
    op.create_index("usage_by_project", "usage_days", ["project", "day"])
    op.create_table(
        "usage_rolls",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("rolled_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("usage_rolls")
    op.drop_table("usage_days")
