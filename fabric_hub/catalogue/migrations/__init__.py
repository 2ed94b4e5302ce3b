"""The steps by which the catalogue became what it is (Alembic)."""
