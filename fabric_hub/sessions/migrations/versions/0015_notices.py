"""Everything that somebody is told, how it fares, the dates in people's calendars, and who wants mail."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("entry", sa.JSON),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("read_at", sa.Float),
    )
    op.create_index("notices_by_person", "notices", ["person", "created_at"])
    op.create_table(
        "notice_sends",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(10), primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.Float, nullable=False),
        sa.Column("sent_at", sa.Float),
        sa.Column("trouble", sa.Text),
    )
    op.create_index("notice_sends_by_state", "notice_sends", ["channel", "state", "retry_at"])
    op.create_table(
        "notice_dates",
        sa.Column("person", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(300), primary_key=True),
        sa.Column("moment", sa.String(32), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("told_at", sa.Float, nullable=False),
    )
    op.create_table(
        "notice_choices",
        sa.Column("user", sa.String(255), primary_key=True),
        sa.Column("mail", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("notice_choices")
    op.drop_table("notice_dates")
    op.drop_index("notice_sends_by_state", "notice_sends")
    op.drop_table("notice_sends")
    op.drop_index("notices_by_person", "notices")
    op.drop_table("notices")
