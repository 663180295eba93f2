"""How Alembic runs our migrations: always on a connection that the program hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from callcentre.migrations import METADATA


def run(connection: Connection) -> None:
    """Run the migrations that were asked for, in one transaction, and check the references at the end."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration left {len(broken)} broken references; nothing was kept")


run(context.config.attributes["connection"])
