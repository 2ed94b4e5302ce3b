"""Projects that the catalogue service keeps, and their people by role."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("data", sa.String(10), nullable=False),
        sa.Column("organisation", sa.String(100), nullable=False),
        sa.Column("sector", sa.String(100), nullable=False),
        sa.Column("budget_gpu_hours", sa.Float),
        sa.Column("profiles", sa.JSON, nullable=False),
        sa.Column("images", sa.JSON, nullable=False),
        sa.Column("start", sa.Date),
        sa.Column("end", sa.Date),
        sa.Column("paused", sa.String(100), nullable=False),
        sa.Column("paused_by", sa.String(300)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("serial", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "project_people",
        sa.Column("project", sa.String(40), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(10), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("by", sa.String(300), nullable=False),
    )


def downgrade() -> None:
    # an earlier release knows the projects of the site's file only: who is in none of them starts nothing
    op.drop_table("project_people")
    op.drop_table("projects")
