"""Invitations to projects, and who accepted them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("project", sa.String(40), sa.ForeignKey("projects.name"), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("domain", sa.String(190), nullable=False),
        sa.Column("by", sa.String(300), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("withdrawn_at", sa.Float),
    )
    op.create_index("ix_invitations_project", "invitations", ["project"])
    op.create_table(
        "invited",
        sa.Column("invitation", sa.String(12), sa.ForeignKey("invitations.id"), primary_key=True),
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("name", sa.String(1000)),
        sa.Column("organisation", sa.String(1000)),
        sa.Column("mail_domain", sa.String(255)),
    )


def downgrade() -> None:
    # an earlier release takes no invitation: who waits is not in, who is in stays
    op.drop_table("invited")
    op.drop_table("invitations")
