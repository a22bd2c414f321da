"""Alembic's entry: runs the migrations on the connection that `standup.archive.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from standup.archive.models import Row

connection = context.config.attributes["connection"]
# SQLite alters tables by copying them (batch mode).
context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
