"""The one migration path of both databases, and the metadata of every table."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

import callcentre.accounts.models
import callcentre.audit.models
import callcentre.callqueue.models
import callcentre.desk.models
import callcentre.directory.models
import callcentre.funnel.models
import callcentre.intake.models
import callcentre.outreach.message_models
import callcentre.outreach.models
import callcentre.people.models
import callcentre.planning.models
import callcentre.support.models  # noqa: F401  (imported for their tables)
from callcentre.database import Base

METADATA: MetaData = Base.metadata
"""Every table of the program."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to a revision; what was already done is not done again."""
    with migrating(engine) as connection:
        command.upgrade(_config(connection), revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Take a database back to an older revision."""
    with migrating(engine) as connection:
        command.downgrade(_config(connection), revision)
        connection.commit()


def is_current(engine: Engine) -> bool:
    """Tell whether the database is at the newest revision."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()


def head() -> str | None:
    """Return the newest revision."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def migrating(engine: Engine) -> Connection:
    """Return a connection fit for migrating: on SQLite, rebuilding a table must not delete its children."""
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        connection.detach()  # closed at the end, never handed out again with its references unchecked
        # The pragma is ignored inside a transaction, so it goes to the driver before one begins.
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        connection = connection.execution_options(sqlite_begin="IMMEDIATE")
    return connection


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
