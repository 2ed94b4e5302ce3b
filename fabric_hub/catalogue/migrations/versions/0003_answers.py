"""What became of a project's last request for a dataset."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
        sa.Column("project", sa.String(40), primary_key=True),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("why", sa.String(300)),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    # the audit log keeps every answer
    op.drop_table("answers")
