"""Which sessions wait for one place, when a session's script began, and how far a start came that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("paired_with", sa.String(12)))
    op.add_column("sessions", sa.Column("began_at", sa.Float))
    op.add_column("sessions", sa.Column("end_steps", sa.JSON))


def downgrade() -> None:
    with op.batch_alter_table("sessions") as table:
        for column in ("end_steps", "began_at", "paired_with"):
            table.drop_column(column)
