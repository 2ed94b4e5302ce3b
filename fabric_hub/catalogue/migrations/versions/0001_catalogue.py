"""The tables of the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "serial": 0}])
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("entry", sa.JSON, nullable=False),
        sa.Column("latest", sa.String(32)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("published_at", sa.Float),
        sa.Column("retired_at", sa.Float),
    )
    op.create_table(
        "versions",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("version", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("formats", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("published_at", sa.Float),
        sa.Column("retired_at", sa.Float),
    )
    op.create_table(
        "agreements",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("version", sa.String(32), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "grants",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("until", sa.Date),
        sa.Column("by", sa.String(300), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "revocations",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "acceptances",
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("agreement", sa.String(32), primary_key=True),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("why", sa.String(300)),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for name in ("requests", "acceptances", "revocations", "grants", "agreements", "versions", "datasets", "counter"):
        op.drop_table(name)
