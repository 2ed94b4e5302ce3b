"""The tables of the catalogue's database as the code reads them; migrations/ makes them."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# One row. Every change raises it first, which also makes writers go one at a time.
counter = sa.Table(
    "counter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
)

# `entry` is the description (title, publisher, ...) as JSON of model.Dataset: it is read and written whole.
datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("entry", sa.JSON, nullable=False),
    sa.Column("latest", sa.String(32)),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("published_at", sa.Float),
    sa.Column("retired_at", sa.Float),
)

versions = sa.Table(
    "versions",
    metadata,
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

# Every text that people may have accepted stays, under its version.
agreements = sa.Table(
    "agreements",
    metadata,
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("version", sa.String(32), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("until", sa.Date),
    sa.Column("by", sa.String(300), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

# Grants that a restore shut: nobody uses them before the steward confirms.
held_grants = sa.Table(
    "held_grants",
    metadata,
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("until", sa.Date),
    sa.Column("by", sa.String(300), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("held_at", sa.Float, nullable=False),
)

# Grants that were taken away with the word that their sessions end too.
revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)

acceptances = sa.Table(
    "acceptances",
    metadata,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("agreement", sa.String(32), primary_key=True),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

# Requests that were declined, until who asked asks again or gets it.
declined = sa.Table(
    "declined",
    metadata,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("why", sa.String(300)),
    sa.Column("at", sa.Float, nullable=False),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("why", sa.String(300)),
    sa.Column("at", sa.Float, nullable=False),
)

# When a steward last looked at a dataset (`project` is empty) or at a project's grant of it; `by` as in the audit log.
reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("dataset", sa.String(40), sa.ForeignKey("datasets.name"), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("by", sa.String(300), nullable=False),
)

# Projects that are not in the site's file. `serial` is the counter's at a project's last change; `paused_by` and
# `created_by` say who decided as the audit log does ("owner ada", "operator sam"; at a command line: the account).
# `ended_at` is when somebody gave it a last day that was over by then.
projects = sa.Table(
    "projects",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("data", sa.String(10), nullable=False),
    sa.Column("organisation", sa.String(100), nullable=False),
    sa.Column("sector", sa.String(100), nullable=False),
    sa.Column("budget_gpu_hours", sa.Float),
    sa.Column("profiles", sa.JSON, nullable=False),
    sa.Column("images", sa.JSON, nullable=False),
    sa.Column("start", sa.Date),
    sa.Column("end", sa.Date),
    sa.Column("paused", sa.String(100), nullable=False),
    sa.Column("paused_by", sa.String(300)),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("created_by", sa.String(300), nullable=False),
    sa.Column("ended_at", sa.Float),
    sa.Column("serial", sa.BigInteger, nullable=False, index=True),
    # as JSON of config.assurance.Asks; none: it asks nothing of a login
    sa.Column("asks", sa.JSON),
)

project_people = sa.Table(
    "project_people",
    metadata,
    sa.Column("project", sa.String(40), sa.ForeignKey("projects.name"), primary_key=True),
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(10), primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("by", sa.String(300), nullable=False),
)

# Requests for a project ("project"), or for more of one ("more"). `answered_by` says who decided as the audit log does.
project_requests = sa.Table(
    "project_requests",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("purpose", sa.String(1000), nullable=False),
    sa.Column("organisation", sa.String(100), nullable=False),
    sa.Column("sector", sa.String(100), nullable=False),
    sa.Column("data", sa.String(10), nullable=False),
    sa.Column("gpu_hours", sa.Float),
    sa.Column("until", sa.Date),
    sa.Column("project", sa.String(40)),
    sa.Column("state", sa.String(10), nullable=False, index=True),
    sa.Column("answered_at", sa.Float),
    sa.Column("answered_by", sa.String(300)),
    sa.Column("why", sa.String(100)),
)

# Who had a starter project: digests of their name at the hub and of their identities, which outlive an erasure.
starters = sa.Table(
    "starters",
    metadata,
    sa.Column("of", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(40), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

# Accounts of the site's pools that were lent once. `since` is when `state` began, `step` how far the cleaning is,
# `round` which one it is (it only rises), `why` what keeps the account from being free, as a text's code.
leased_accounts = sa.Table(
    "leased_accounts",
    metadata,
    sa.Column("account", sa.String(64), primary_key=True),
    sa.Column("uid", sa.BigInteger, nullable=False, unique=True),
    sa.Column("purpose", sa.String(10), nullable=False),
    sa.Column("project", sa.String(40), index=True),
    sa.Column("person", sa.String(64)),
    sa.Column("from", sa.Float),
    sa.Column("until", sa.Date),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("step", sa.String(10), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("why", sa.JSON),
)
