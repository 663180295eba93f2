"""Promised callbacks: a time given to a young person, kept by the officer who gave it or by the team."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcentre.directory import queries as directory
from callcentre.outreach.models import Callback, CallbackState
from callcentre.programmes import Programme


def promise(
    session: Session,
    *,
    programme_id: int,
    entry_id: int,
    person_id: int,
    promised_at: datetime,
    by: int | None,
    officer_id: int | None,
    number_id: int | None,
    attempt_id: int | None,
    note: str | None,
    now: datetime,
) -> Callback:
    """Promise a time; an earlier promise to the same person gives way. `by` None: they asked for it in writing."""
    cancel(session, person_id=person_id, programme_id=programme_id, now=now)
    callback = Callback(
        programme_id=programme_id,
        entry_id=entry_id,
        person_id=person_id,
        officer_id=officer_id,
        number_id=number_id,
        promised_at=promised_at,
        promised_by=by,
        promised_in=attempt_id,
        created_at=now,
        state=CallbackState.PROMISED,
        note=note,
    )
    session.add(callback)
    session.flush()
    return callback


def cancel(session: Session, *, person_id: int, programme_id: int, now: datetime) -> list[int]:
    """Cancel what is still promised to a person; return the ids."""
    open_states = (CallbackState.PROMISED, CallbackState.MISSED)
    rows = session.scalars(
        select(Callback).where(
            Callback.person_id == person_id,
            Callback.programme_id == programme_id,
            Callback.state.in_(open_states),
            Callback.settled_at.is_(None),
        )
    ).all()
    for row in rows:
        row.state, row.settled_at = CallbackState.CANCELLED, now
    session.flush()
    return [row.id for row in rows]


def mark_missed(session: Session, programmes: Iterable[Programme], *, now: datetime) -> int:
    """Show as missed the promises that nobody kept in their programme's time; they are still served. Say how many."""
    missed = 0
    for programme in programmes:
        kept_for = timedelta(minutes=programme.limits.promise_missed_minutes)
        late = session.scalars(
            update(Callback)
            .where(
                Callback.programme_id == directory.programme_id(session, programme.code),
                Callback.state == CallbackState.PROMISED,
                Callback.promised_at < now - kept_for,
            )
            .values(state=CallbackState.MISSED)
            .returning(Callback.id)
        )
        missed += len(late.all())
    return missed


def settle(
    callback: Callback, *, attempt_id: int, attempted_at: datetime, within: timedelta, now: datetime
) -> None:
    """Note the call that answers a promise: kept when it was made in time, else missed for good."""
    in_time = attempted_at <= callback.promised_at + within
    callback.state = (
        CallbackState.KEPT if in_time and callback.state != CallbackState.MISSED else CallbackState.MISSED
    )
    callback.settled_at, callback.settled_by_attempt = now, attempt_id
