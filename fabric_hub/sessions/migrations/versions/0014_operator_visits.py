"""Which operators opened a session that is not their own, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "operator_visits",
        sa.Column("session", sa.String(12), primary_key=True),
        sa.Column("operator", sa.String(255), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
    )


def downgrade() -> None:
    op.drop_table("operator_visits")
