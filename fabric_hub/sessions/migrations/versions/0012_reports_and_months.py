"""Problem reports and whether they were sent; month sheets, and what only they need: readiness and idle GPUs."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "problem_reports",
        sa.Column("reference", sa.String(12), primary_key=True),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Float, nullable=False),
        sa.Column("sent_at", sa.Float),
        sa.Column("trouble", sa.Text),
    )
    op.create_index("problem_reports_by_user", "problem_reports", ["user", "at"])
    op.create_index("problem_reports_by_state", "problem_reports", ["state"])
    op.create_table(
        "month_days",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("piece", sa.JSON, nullable=False),
    )
    op.create_table(
        "month_sheets",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("sheet", sa.JSON, nullable=False),
    )
    op.create_table(
        "readiness_hours",
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("ready", sa.Integer, nullable=False),
    )
    op.create_table(
        "idle_months",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("watched", sa.Float, nullable=False),
        sa.Column("idle", sa.Float, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for table in ("idle_months", "readiness_hours", "month_sheets", "month_days", "problem_reports"):
        op.drop_table(table)
