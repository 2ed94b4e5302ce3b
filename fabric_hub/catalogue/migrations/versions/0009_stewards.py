"""When stewards looked at datasets and grants; what projects ask of a login, and when people proved who they are."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("by", sa.String(300), nullable=False),
    )
    op.add_column("projects", sa.Column("asks", sa.JSON))
    op.add_column("identities", sa.Column("auth_time", sa.Float))


def downgrade() -> None:
    with op.batch_alter_table("identities") as table:
        table.drop_column("auth_time")
    with op.batch_alter_table("projects") as table:
        table.drop_column("asks")
    op.drop_table("reviews")
