"""The migrations on both databases: from nothing to the models, back, and again, with people present."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update

import callcentre.migrations
from callcentre.database import make_engine, make_session_factory, reading, writing
from callcentre.migrations import METADATA, downgrade, head, is_current, migrating, upgrade
from callcentre.planning.models import RetryLearning
from tests.builders import make_world

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_there_is_one_head() -> None:
    folder = callcentre.migrations.__path__[0]
    assert ScriptDirectory(folder).get_heads() == [head()]


def test_up_down_up(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    upgrade(engine)
    assert is_current(engine)
    upgrade(engine)
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    assert not is_current(engine)
    upgrade(engine)
    assert is_current(engine)
    engine.dispose()


def test_the_tables_are_those_of_the_models(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    upgrade(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    assert differences == []


def test_people_survive_a_second_upgrade(database_url: str) -> None:
    engine = make_engine(database_url)
    world = make_world(make_session_factory(engine), NOW, people=3)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM queue_entries")) == len(world.people)
    engine.dispose()


def test_calls_are_counted_anew_once_those_that_were_expected_no_longer_weigh(
    empty_database_url: str,
) -> None:
    engine = make_engine(empty_database_url)
    upgrade(engine)
    sessions = make_session_factory(engine)
    world = make_world(sessions, NOW, people=1)
    with writing(sessions) as session:
        session.add(RetryLearning(programme_id=world.programme_id, counted_until=NOW))
    downgrade(engine, "0006")
    with writing(sessions) as session:
        session.execute(update(RetryLearning).values(counted_until=NOW))
    upgrade(engine)
    with reading(sessions) as session:
        assert session.scalars(select(RetryLearning.counted_until)).all() == [None]
    engine.dispose()


def test_migrating_on_sqlite_leaves_references_checked(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    migrating(engine).close()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize("table", ["turns", "lease_log", "attempts", "stage_changes"])
def test_the_busy_tables_exist(database_url: str, table: str) -> None:
    engine = make_engine(database_url)
    assert inspect(engine).has_table(table)
    engine.dispose()
