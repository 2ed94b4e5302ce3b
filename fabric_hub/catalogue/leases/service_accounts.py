"""Which project has which service account."""

from __future__ import annotations

import sqlalchemy as sa

from fabric_hub.catalogue.tables import leased_accounts as table


def service_accounts(connection: sa.Connection) -> dict[str, str]:
    """The service account of each project that has one."""
    asked = sa.select(table.c.project, table.c.account).where(table.c.purpose == "service", table.c.state == "leased")
    return {row.project: row.account for row in connection.execute(asked)}
