"""By what a session's own token is known."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("token_digest", sa.String(64)))
        sessions.create_index("sessions_by_token", ["token_digest"])


def downgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_index("sessions_by_token")
        sessions.drop_column("token_digest")
