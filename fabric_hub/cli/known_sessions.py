"""``python -m fabric_hub.cli.known_sessions SITE``: of the sessions named on standard input, those on the hub's record.

A process of its own, for the record is read as the hub's account, which whoever runs `fabric-hub doctor` need not be.
It is read as it is: one of another release is not changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa

from fabric_hub.config.settings import load
from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import database_url


def known(url: str, sessions: list[str]) -> list[str]:
    """Which of these the record has.

    :raises sqlalchemy.exc.SQLAlchemyError: it cannot be read.
    """
    found = sa.table("sessions", sa.column("id"))
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(sa.select(found.c.id).where(found.c.id.in_(sessions))).scalars())
    finally:
        engine.dispose()


def main(site: Path, sessions: list[str]) -> int:
    """Print those that the record knows; returns the exit status."""
    try:
        print("\n".join(known(database_url(load(site)), sessions)))
    except (FabricError, sa.exc.SQLAlchemyError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.read().split()))
