"""Requests for projects, and who had a starter project."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "project_requests",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("user", sa.String(64), nullable=False, index=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(1000), nullable=False),
        sa.Column("organisation", sa.String(100), nullable=False),
        sa.Column("sector", sa.String(100), nullable=False),
        sa.Column("data", sa.String(10), nullable=False),
        sa.Column("gpu_hours", sa.Float),
        sa.Column("until", sa.Date),
        sa.Column("project", sa.String(40)),
        sa.Column("state", sa.String(10), nullable=False, index=True),
        sa.Column("answered_at", sa.Float),
        sa.Column("answered_by", sa.String(300)),
        sa.Column("why", sa.String(100)),
    )
    op.create_table(
        "starters",
        sa.Column("of", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("starters")
    op.drop_table("project_requests")
