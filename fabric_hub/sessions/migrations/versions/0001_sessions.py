"""The sessions table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("server_name", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("image", sa.String(40), nullable=False),
        sa.Column("hours", sa.Float, nullable=False),
        sa.Column("datasets", sa.JSON, nullable=False),
        sa.Column("gpus", sa.Integer, nullable=False),
        sa.Column("token", sa.String(64)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("submitted_at", sa.Float),
        sa.Column("job_id", sa.BigInteger),
        sa.Column("port", sa.Integer),
        sa.Column("announced_at", sa.Float),
        sa.Column("phases", sa.JSON),
        sa.Column("node", sa.String(255)),
        sa.Column("ready_at", sa.Float),
        sa.Column("start_seconds", sa.JSON),
        sa.Column("ended_at", sa.Float),
        sa.Column("end_reason", sa.String(40)),
        sa.Column("end_text", sa.Text),
        sa.Column("end_log", sa.JSON),
    )
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "one_live_session_per_server",
        "sessions",
        ["user", "server_name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("sessions_by_end", "sessions", ["ended_at"])


def downgrade() -> None:
    op.drop_table("sessions")
