"""The lines in which this record is written, what a session's token is known by, and the sessions of other records."""

import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    lines = op.create_table(
        "record_lines",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("identity", sa.String(32), nullable=False, unique=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
    )
    op.bulk_insert(lines, [{"identity": secrets.token_hex(16), "generation": 0, "began_at": time.time()}])
    op.add_column("sessions", sa.Column("token_hash", sa.String(200)))
    op.add_column("sessions", sa.Column("adopted_at", sa.Float))
    op.create_table(
        "held_sessions",
        sa.Column("session", sa.String(12), primary_key=True),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("held", sa.JSON, nullable=False),
    )
    op.create_index("held_by_user", "held_sessions", ["user"])


def downgrade() -> None:
    op.drop_table("held_sessions")
    with op.batch_alter_table("sessions") as table:
        table.drop_column("adopted_at")
        table.drop_column("token_hash")
    op.drop_table("record_lines")
