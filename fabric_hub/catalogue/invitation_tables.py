"""The tables of invitations as the code reads them; migration 0006 makes them."""

from __future__ import annotations

import sqlalchemy as sa

from .tables import metadata

# An invitation: the SHA-256 of its code, never the code. `by` says who made it as the audit log does. `used` counts
# those who accepted. One that is over or withdrawn stays for as long as it says how somebody came in.
invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("project", sa.String(40), sa.ForeignKey("projects.name"), nullable=False, index=True),
    sa.Column("role", sa.String(10), nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("until", sa.Date, nullable=False),
    sa.Column("domain", sa.String(190), nullable=False),
    sa.Column("by", sa.String(300), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("withdrawn_at", sa.Float),
)

# What became of an invitation for one person: waiting (an owner is to confirm who they are), in, refused, or removed:
# they lost the role while it was open, and do not come back by it. What their institution claims of them is there
# while they wait, and no longer.
invited = sa.Table(
    "invited",
    metadata,
    sa.Column("invitation", sa.String(12), sa.ForeignKey("invitations.id"), primary_key=True),
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("name", sa.String(1000)),
    sa.Column("organisation", sa.String(1000)),
    sa.Column("mail_domain", sa.String(255)),
)
