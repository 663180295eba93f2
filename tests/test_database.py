"""Many rows at once arrive as they were given, on both databases; SQLite's writers and its log."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import String, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from callcentre.bulk import AsStored, JsonAsStored, UpdateOfEach, as_stored, insert_rows, with_room
from callcentre.database import (
    REQUEST,
    Identifier,
    copy_log_back,
    dialect_of,
    make_engine,
    make_session_factory,
    of_one_instant,
    reading,
    writing,
)
from callcentre.people.models import PhoneNumber, YoungPerson

NOW = datetime(2026, 11, 24, 10, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=1)))
PERSON = {
    "family_name": "", "first_name": "Zoé", "sort_name": "essai zoe", "birth_date": date(2009, 2, 28),
    "address": None, "zone": "Europe/Paris", "verified": {}, "created_at": NOW, "updated_at": NOW,
}  # fmt: skip
ODD = ["O'NEIL", 'D"UP\\ONT', "100 % %(rows)s :x", "Ægir–Łódź", "ligne\nnouvelle\ttab", "😀 ; -- ,"]


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    engine = make_engine(database_url)
    yield make_session_factory(engine)
    engine.dispose()


def people(sessions: sessionmaker[Session]) -> list[YoungPerson]:
    with reading(sessions) as session:
        found = list(session.scalars(select(YoungPerson).order_by(YoungPerson.id)))
        session.expunge_all()
        return found


def test_every_kind_of_value_arrives_as_it_was_given(sessions: sessionmaker[Session]) -> None:
    said = {"phone": {"by": 3, "é": [1, None, True]}}
    with writing(sessions) as session:
        rows = [PERSON | {"family_name": name, "address": name, "verified": said} for name in ODD]
        insert_rows(session, YoungPerson.__table__, [PERSON, *rows])
    first, *odd = people(sessions)
    assert (first.address, first.verified, first.birth_date) == (None, {}, date(2009, 2, 28))
    assert first.created_at == NOW
    assert first.created_at.tzinfo is UTC
    assert [(one.family_name, one.address, one.verified) for one in odd] == [(n, n, said) for n in ODD]


def test_keys_grow_in_the_order_of_the_rows(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        for part in range(3):
            names = [f"ESSAI {part * 500 + n}" for n in range(500)]
            insert_rows(
                with_room(session), YoungPerson.__table__, [PERSON | {"family_name": name} for name in names]
            )
    assert [one.family_name for one in people(sessions)] == [f"ESSAI {n}" for n in range(1500)]


def test_what_is_known_already_is_left_out_only_where_that_is_wanted(sessions: sessionmaker[Session]) -> None:
    rows = [
        {"e164": f"+3363998000{n}", "reversed_digits": f"{n}00089936{n}", "kind": "mobile"} for n in range(3)
    ]
    with writing(sessions) as session:
        insert_rows(session, PhoneNumber.__table__, rows[:1], skip_known=True)
        insert_rows(session, PhoneNumber.__table__, rows, skip_known=True)
    with reading(sessions) as session:
        assert session.scalars(select(PhoneNumber.e164).order_by(PhoneNumber.id)).all() == [
            row["e164"] for row in rows
        ]
    with pytest.raises(Exception, match=r"(?i)unique"), writing(sessions) as session:
        insert_rows(session, PhoneNumber.__table__, rows)


def test_an_instant_without_a_zone_is_refused(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(ValueError, match="naive"), writing(sessions) as session:
        insert_rows(session, YoungPerson.__table__, [PERSON | {"created_at": NOW.replace(tzinfo=None)}])
    assert people(sessions) == []


def test_the_log_is_copied_back(tmp_path: Path) -> None:
    """What is copied is found in the database's own file, without its log."""
    engine = make_engine(f"sqlite:///{tmp_path / 'one.sqlite'}")
    with writing(make_session_factory(engine)) as session:
        session.execute(text("CREATE TABLE written (one INTEGER)"))
    assert (tmp_path / "one.sqlite").stat().st_size < 2 * 4096
    assert copy_log_back(engine) > 0
    (tmp_path / "alone.sqlite").write_bytes((tmp_path / "one.sqlite").read_bytes())
    with reading(make_session_factory(make_engine(f"sqlite:///{tmp_path / 'alone.sqlite'}"))) as session:
        assert session.scalar(text("SELECT count(*) FROM written")) == 0


def test_a_writer_takes_its_place_when_another_process_leaves_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'two.sqlite'}"
    one, other = (make_session_factory(make_engine(url)) for _ in range(2))  # as two processes would
    has_begun = Event()

    def write() -> None:
        with writing(other) as session:
            has_begun.set()
            session.execute(text("CREATE TABLE written (one INTEGER)"))

    with ThreadPoolExecutor(1) as pool:
        with writing(one):
            waiting = pool.submit(write)
            assert not has_begun.wait(0.2)
        waiting.result(timeout=10)
    with reading(one) as session:
        assert session.scalar(text("SELECT count(*) FROM written")) == 0


def test_a_writer_that_waited_too_long_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'two.sqlite'}"
    one, other = (
        make_session_factory(make_engine(url, patience=REQUEST._replace(at_most=0.01))) for _ in range(2)
    )
    with writing(one), pytest.raises(OperationalError, match="locked"), writing(other):
        pytest.fail("two writers at once")
    with writing(other) as session:
        assert session.scalar(text("SELECT 1")) == 1


_RENAME = UpdateOfEach(
    lambda given: (
        update(YoungPerson)
        .where(YoungPerson.id == given("id"), YoungPerson.address.is_not_distinct_from(given("was")))
        .values({name: given(name) for name in ("family_name", "address", "verified", "updated_at")})
    ),
    id=Identifier,
    was=String(),
    family_name=String(),
    address=String(),
    verified=JsonAsStored(),
    updated_at=AsStored(),
)


def test_many_rows_are_updated_each_to_values_of_its_own(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        insert_rows(session, YoungPerson.__table__, [PERSON | {"address": name} for name in ODD])
        insert_rows(session, YoungPerson.__table__, [PERSON])
    before, later, dialect = people(sessions), NOW + timedelta(hours=1), dialect_of(sessions)
    said = '{"phone": ["é", null, 3]}'
    rows = [
        {"id": one.id, "was": one.address, "family_name": f"{one.address}!", "address": None}
        | {"verified": said, "updated_at": as_stored(later, dialect)}
        for one in before
    ]
    filled = _RENAME.filled(dialect, rows)
    with writing(sessions) as session:
        assert _RENAME.run(session, filled) == len(before)
    after = people(sessions)
    assert [(one.family_name, one.address) for one in after] == [(f"{one.address}!", None) for one in before]
    assert {one.updated_at for one in after} == {later}
    assert [one.verified for one in after] == [{"phone": ["é", None, 3]}] * len(after)


def test_rows_that_do_not_meet_their_condition_stay_as_they_are(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        insert_rows(session, YoungPerson.__table__, [PERSON, PERSON | {"address": "ailleurs"}])
    rows = [
        {"id": one.id, "was": None, "family_name": "ESSAI", "address": "ici"}
        | {"verified": "{}", "updated_at": as_stored(NOW, dialect_of(sessions))}
        for one in people(sessions)
    ]
    filled = _RENAME.filled(dialect_of(sessions), rows)
    with writing(sessions) as session:
        assert _RENAME.run(session, filled) == 1
        assert _RENAME.run(session, _RENAME.filled(dialect_of(sessions), [])) == 0
    assert [(one.family_name, one.address) for one in people(sessions)] == [
        ("ESSAI", "ici"),
        ("", "ailleurs"),
    ]


def test_what_is_read_of_one_instant_sees_no_later_change(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        insert_rows(session, YoungPerson.__table__, [PERSON])
    names = select(YoungPerson.family_name)
    with reading(sessions) as session:
        assert of_one_instant(session).scalars(names).all() == [""]
        with writing(sessions) as other:
            other.execute(update(YoungPerson).values(family_name="ESSAI"))
        assert session.scalars(names).all() == [""]
    with reading(sessions) as session:
        assert session.scalars(names).all() == ["ESSAI"]
