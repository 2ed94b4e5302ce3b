"""Accounts of the site's pools: to whom they are lent, and whether they are clean."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "leased_accounts",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("uid", sa.BigInteger, nullable=False, unique=True),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("project", sa.String(40)),
        sa.Column("person", sa.String(64)),
        sa.Column("from", sa.Float),
        sa.Column("until", sa.Date),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("step", sa.String(10), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("why", sa.JSON),
    )
    op.create_index("ix_leased_accounts_project", "leased_accounts", ["project"])


def downgrade() -> None:
    # an earlier release lends no accounts; what one owned stays as it is
    op.drop_table("leased_accounts")
