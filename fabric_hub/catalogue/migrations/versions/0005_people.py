"""People: identities at providers, names at the hub that are given once, and accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "persons",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("known_by", sa.String(10), nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(510), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("first_at", sa.Float, nullable=False),
        sa.Column("last_at", sa.Float, nullable=False),
        sa.Column("display_name", sa.String(1000)),
        sa.Column("mail", sa.String(1000)),
        sa.Column("organisation", sa.String(1000)),
        sa.Column("assurance", sa.JSON, nullable=False),
        sa.Column("acr", sa.String(1000)),
    )
    op.create_index("ix_identities_person", "identities", ["person"])
    op.create_table(
        "hub_names",
        sa.Column("key", sa.String(160), primary_key=True),
        sa.Column("shape", sa.String(160), nullable=False),
        sa.Column("name", sa.String(80), unique=True),
        sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("ix_hub_names_shape", "hub_names", ["shape"])
    op.create_index("ix_hub_names_person", "hub_names", ["person"])
    op.create_table(
        "accounts",
        sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("unix_account", sa.String(256), nullable=False, unique=True),
        sa.Column("uid", sa.BigInteger, unique=True),
        sa.Column("mapped_by", sa.String(20), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for table in ("accounts", "hub_names", "identities", "persons"):
        op.drop_table(table)
