"""Grants that a restore shut, until the steward confirms them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "held_grants",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("until", sa.Date),
        sa.Column("by", sa.String(300), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("held_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    # what is shut stays shut: an earlier release knows nothing of these, and grants them anew where they are to be
    op.drop_table("held_grants")
