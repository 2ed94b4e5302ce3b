"""Sessions that operators end, and what they announce."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "session_stops",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("session", sa.String(12), nullable=False),
        sa.Column("operator", sa.String(255), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("ordered_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("withdrawn_at", sa.Float),
        sa.Column("withdrawn_by", sa.String(255)),
    )
    op.create_index("stops_by_session", "session_stops", ["session"])
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.Column("begins_at", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("operator", sa.String(255), nullable=False),
        sa.Column("written_at", sa.Float, nullable=False),
    )
    op.create_table(
        "announcements_dismissed",
        sa.Column("announcement", sa.String(12), primary_key=True),
        sa.Column("user", sa.String(255), primary_key=True),
    )


def downgrade() -> None:
    op.drop_table("announcements_dismissed")
    op.drop_table("announcements")
    op.drop_index("stops_by_session", "session_stops")
    op.drop_table("session_stops")
