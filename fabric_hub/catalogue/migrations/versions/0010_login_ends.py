"""Whose logins end: people whose identity was unlinked, and people whom an operator blocks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "login_ends",
        sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("why", sa.String(100)),
        sa.Column("serial", sa.BigInteger, nullable=False),
    )
