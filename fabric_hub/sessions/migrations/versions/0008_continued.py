"""Which sessions end as soon as the session that continues them is ready."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ends_when_followed", sa.Boolean))


def downgrade() -> None:
    with op.batch_alter_table("sessions") as table:
        table.drop_column("ends_when_followed")
