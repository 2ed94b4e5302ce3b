"""GPU-hours by day, account and QOS; of the days before, the QOS is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "usage_charged",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("qos", sa.String(64), primary_key=True),
        sa.Column("gpu_hours", sa.Float, nullable=False),
    )
    op.execute(
        "INSERT INTO usage_charged (day, account, qos, gpu_hours) "
        "SELECT day, account, '', SUM(gpu_hours) FROM usage_days GROUP BY day, account"
    )


def downgrade() -> None:
    op.drop_table("usage_charged")
