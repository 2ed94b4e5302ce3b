"""The tables of people as the code reads them; migrations 0005 and 0009 make them.

Personal fields are in ``identities`` (what a provider claimed), ``hub_names`` and ``accounts`` alone: a person is a
number.
"""

from __future__ import annotations

import sqlalchemy as sa

from fabric_hub.catalogue.tables import metadata

# The audit log names people by these numbers. A row is never deleted, so that no number is given twice.
persons = sa.Table(
    "persons",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created_at", sa.Float, nullable=False),
    # login: by an identity, also one that was unlinked. name: by a name at the hub alone, as the site's own
    # authenticator gave it; the first identity that the site's mapping leads to that name is this person's, unless
    # people choose the name.
    sa.Column("known_by", sa.String(10), nullable=False),
)

# Letter by letter: no mail address, no name and no spelling makes two identities one.
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", sa.String(510), primary_key=True),
    sa.Column("subject", sa.String(255), primary_key=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), nullable=False, index=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("first_at", sa.Float, nullable=False),
    sa.Column("last_at", sa.Float, nullable=False),
    # as claimed at the last login
    sa.Column("display_name", sa.String(1000)),
    sa.Column("mail", sa.String(1000)),
    sa.Column("organisation", sa.String(1000)),
    sa.Column("assurance", sa.JSON, nullable=False),
    sa.Column("acr", sa.String(1000)),
    # when they proved who they are (Unix seconds), where the provider says it: it may be long before the login
    sa.Column("auth_time", sa.Float),
)

# A name at the hub is one person's for ever, also when they have another now. `key`: as names are compared (Unicode
# NFKC, case folded); `shape`: as they look to a reader. Who is forgotten has no `name` any more, and digests of the
# other two. Operators who act on the command line are `unix:ACCOUNT`, which no name at the hub can be.
hub_names = sa.Table(
    "hub_names",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("shape", sa.String(160), nullable=False, index=True),
    sa.Column("name", sa.String(80), unique=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
)

# Whose logins end, with all that was opened by them before `at`. `why` is an operator's, of somebody who is blocked;
# NULL of everybody else. `serial` is the catalogue's at the last change.
login_ends = sa.Table(
    "login_ends",
    metadata,
    sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("why", sa.String(100)),
    sa.Column("serial", sa.BigInteger, nullable=False),
)

# The account of a person now, and how it was found; `name` is theirs in hub_names.
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("person", sa.Integer, sa.ForeignKey("persons.number"), primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("unix_account", sa.String(256), nullable=False, unique=True),
    sa.Column("uid", sa.BigInteger, unique=True),
    sa.Column("mapped_by", sa.String(20), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
