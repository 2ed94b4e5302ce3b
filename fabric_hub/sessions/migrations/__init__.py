"""The steps by which the sessions' database became what it is (Alembic)."""
