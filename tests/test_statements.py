"""Statements that are compiled once, on both databases: their values, their lists, their errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Date, bindparam, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.accounts.kinds import PauseReason, PresenceState
from callcentre.accounts.models import Presence, User
from callcentre.database import JsonValue, UtcDateTime, make_engine, make_session_factory
from callcentre.statements import Prepared
from tests.builders import a_user

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_OF = Prepared(
    select(User.login, User.created_at)
    .where(User.id.in_(bindparam("ids", expanding=True)), User.role.in_(("officer", "supervisor")))
    .order_by(User.id)
)
_TYPED = Prepared(
    text("SELECT created_at, :day AS day, :kept AS kept FROM users WHERE created_at <= :now").bindparams(
        bindparam("now", type_=UtcDateTime()),
        bindparam("day", type_=Date()),
        bindparam("kept", type_=JsonValue),
    ),
    created_at=UtcDateTime(),
    day=Date(),
    kept=JsonValue,
)
_STATE = Prepared(select(Presence.state).where(Presence.user_id == bindparam("user")))
_ENTER = Prepared(
    text(
        "INSERT INTO presences (user_id, state, since, seen_at) VALUES (:user, 'available', :now, :now)"
    ).bindparams(bindparam("now", type_=UtcDateTime()))
)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = make_engine(database_url)
    with make_session_factory(engine)() as opened:
        yield opened
        opened.rollback()
    engine.dispose()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 500])
def test_a_list_may_have_any_length(session: Session, count: int) -> None:
    users = [a_user(session, f"officer{number}", now=NOW) for number in range(3)]
    asked = [*users, *range(1000, 2000)][:count]
    found = _OF.rows(session, {"ids": asked})
    assert [(row.login, row.created_at) for row in found] == [
        (f"officer{number}", NOW) for number in range(min(count, 3))
    ]


def test_values_keep_their_types_on_the_way_in_and_out(session: Session) -> None:
    a_user(session, "officer", now=NOW)
    row = _TYPED.first(session, {"now": NOW, "day": date(2026, 11, 23), "kept": {"slot": "evening"}})
    assert (row.created_at, row.day, row.kept) == (NOW, date(2026, 11, 23), {"slot": "evening"})
    assert _TYPED.first(session, {"now": NOW.replace(year=2025), "day": NOW.date(), "kept": None}) is None


def test_what_the_session_holds_back_is_written_first(session: Session) -> None:
    user = a_user(session, "officer", now=NOW)
    _ENTER.run(session, {"user": user, "now": NOW})
    presence = session.get_one(Presence, user)
    presence.state, presence.reason = PresenceState.PAUSED, PauseReason.BREAK
    assert _STATE.value(session, {"user": user}) == PresenceState.PAUSED


def test_a_refusal_of_the_database_is_the_sessions_own(session: Session) -> None:
    user = a_user(session, "officer", now=NOW)
    asked = {"user": user, "now": NOW}
    assert _ENTER.run(session, asked) == 1
    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        _ENTER.run(session, asked)
    assert "2026" not in str(refused.value)  # what a statement was given never reaches a log
    assert _STATE.value(session, {"user": user}) == PresenceState.AVAILABLE


def test_whoever_counts_statements_counts_these(session: Session) -> None:
    seen: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: seen.append(given[2]))
    _STATE.rows(session, {"user": 1})
    assert sum("presences" in statement for statement in seen) == 1
