"""Requests that an operator declined, and why, for who asked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "declined",
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("why", sa.String(300)),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("declined")
