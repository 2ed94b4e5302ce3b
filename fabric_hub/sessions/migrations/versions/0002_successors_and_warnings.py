"""Sessions that follow another one, what idle ones returned, and the warnings that were told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("follows", sa.String(12)))
        sessions.add_column(sa.Column("reopen", sa.JSON))
        sessions.add_column(sa.Column("returned_gpu_hours", sa.Float))
    op.create_table(
        "successors",
        sa.Column("predecessor", sa.String(12), primary_key=True),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("server_name", sa.String(40), nullable=False),
        sa.Column("reopen", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "quota_warnings",
        sa.Column("subject", sa.String(300), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("in_force", sa.Boolean, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("told_at", sa.Float),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("quota_warnings")
    op.drop_table("successors")
    with op.batch_alter_table("sessions") as sessions:
        for column in ("returned_gpu_hours", "reopen", "follows"):
            sessions.drop_column(column)
