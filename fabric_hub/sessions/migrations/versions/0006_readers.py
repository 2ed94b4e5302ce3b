"""The language that a person chose."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "readers",
        sa.Column("user", sa.String(255), primary_key=True),
        sa.Column("language", sa.String(20), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("readers")
