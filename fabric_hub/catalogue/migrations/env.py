"""Alembic's entry: runs the steps on the connection that the store gives."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True)  # batch: SQLite cannot alter tables in place
with context.begin_transaction():
    context.run_migrations()
