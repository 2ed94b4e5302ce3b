"""What sessions last said of themselves, and which ended ones their people took off their list."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "session_reports",
        sa.Column("session", sa.String(12), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kernels_busy", sa.Integer),
        sa.Column("others_busy", sa.Boolean),
        sa.Column("unsaved", sa.Integer),
        sa.Column("gpu_percent", sa.Text),
    )
    op.add_column("sessions", sa.Column("removed_at", sa.Float))
    op.create_index("sessions_by_user_and_end", "sessions", ["user", "ended_at"])


def downgrade() -> None:
    op.drop_index("sessions_by_user_and_end", "sessions")
    with op.batch_alter_table("sessions") as table:
        table.drop_column("removed_at")
    op.drop_table("session_reports")
