"""Claiming the next person, and the time-limited right to call them.

One conditional statement claims, on both databases: it finds the head of the queue among rows that nobody else is
taking and marks it with a token. Unique columns forbid holding a person twice, two people at once, or a number that
a colleague's person shares. Losing a race is a normal return.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Date, bindparam, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.accounts.presence import PRESENCE_LIFETIME
from callcentre.callqueue.ledger import Ledger
from callcentre.callqueue.models import Lane, LeaseEnding
from callcentre.database import JsonValue, UtcDateTime
from callcentre.errors import NotAllowed
from callcentre.statements import Prepared

PRIORITIES = (0, 1, 2)
"""Within ordinary attempts: minors' clocks, first attempts of a new list, the rest."""
TERRITORIES_AT_ONCE = 4
"""Territories probed by one statement, once the first proved empty."""
RACES = 25
"""How many heads a claim may lose to others before it gives up; far above what eight officers can cause."""
UNCOUNTED = ""
"""What a lease remembers instead of weights when it does not count for the balance."""
HELD_BY_COLLEAGUE = timedelta(minutes=2)
"""How long a person whose number a colleague is on steps back before being tried again."""

_COLUMNS = (
    "id, entry_id, person_id, programme_id, territory_id, lane, priority, due_at, due_until, number_id, reason, "
    "callback_id, reserved_for, shares_number, token, officer_id, granted_at, granted_on, renewed_at, lease_until, "
    "attempt_id, due_weights"
)
_TYPES: dict[str, Any] = {
    "due_at": UtcDateTime(),
    "due_until": UtcDateTime(),
    "granted_at": UtcDateTime(),
    "renewed_at": UtcDateTime(),
    "lease_until": UtcDateTime(),
    "granted_on": Date(),
    "reason": JsonValue,
}


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one officer to call one person until `until`, known by its token."""

    token: str
    turn_id: int
    entry_id: int
    person_id: int
    programme_id: int
    territory_id: int
    officer_id: int
    lane: Lane
    due_at: datetime
    """From when they were to be called; ahead only on a card that was opened by hand."""
    number_id: int | None
    shares_number: bool
    reason: dict[str, Any]
    callback_id: int | None
    attempt_id: int | None
    granted_at: datetime
    renewed_at: datetime
    until: datetime
    granted_now: bool = False
    """Whether this very call granted it; asking again gives the same lease without."""

    @property
    def why(self) -> dict[str, Any] | None:
        """What chose the hour of a call from this card; None where nothing did, on one that was opened by hand."""
        return None if self.lane is Lane.LIVE_INBOUND else self.reason

    def needs_settling(self, now: datetime, after: timedelta) -> bool:
        """Tell whether an open attempt has been without a sign of life for so long that it must be settled."""
        return self.attempt_id is not None and now >= self.renewed_at + after


_SET_LEASE = (
    "token = :token, officer_id = :officer, granted_at = :now, granted_on = :day, renewed_at = :now, "
    "lease_until = :until, due_weights = :due_weights, attempt_id = NULL"
)
_READY = "token IS NULL AND programme_id = :programme AND due_at <= :now AND due_until > :now"


def _typed(sql: str) -> Prepared:
    """Return a statement whose instants and days have their types, on the way in and out."""
    bound: list[BindParameter[Any]] = [
        bindparam(name, type_=UtcDateTime())
        for name in ("now", "until", "later", "seen_after")
        if f":{name}" in sql
    ]
    if ":day" in sql:
        bound.append(bindparam("day", type_=Date()))
    return Prepared(text(sql).bindparams(*bound), **_TYPES)


_OF_OFFICER = _typed(f"SELECT {_COLUMNS} FROM turns WHERE officer_id = :officer")
_OF_TOKEN = _typed(f"SELECT {_COLUMNS} FROM turns WHERE token = :token")
_OF_PERSON = _typed(f"SELECT {_COLUMNS} FROM turns WHERE person_id = :person AND token IS NOT NULL")
_TAKE_ONE = _typed(f"UPDATE turns SET {_SET_LEASE} WHERE id = :turn AND token IS NULL RETURNING {_COLUMNS}")
_WITHOUT_ATTEMPT = _typed(
    f"SELECT {_COLUMNS} FROM turns WHERE programme_id = :programme AND token IS NOT NULL AND attempt_id IS NULL"
)
_RENEW = _typed(
    f"UPDATE turns SET lease_until = :until, renewed_at = :now WHERE token = :token AND officer_id = :officer "
    f"RETURNING {_COLUMNS}"
)
_START = _typed(
    "UPDATE turns SET attempt_id = :attempt, renewed_at = :now, lease_until = :until "
    "WHERE id = :turn AND token = :token"
)
_SHARED = (
    "mine.person_id = {person} AND EXISTS (SELECT 1 FROM person_numbers other "
    "WHERE other.number_id = mine.number_id AND other.person_id <> mine.person_id)"
)
_COUNT_SHARED = _typed(f"SELECT count(*) FROM person_numbers mine WHERE {_SHARED.format(person=':person')}")
_LOCK = _typed(
    f"""
    INSERT INTO number_locks (number_id, turn_id)
    SELECT mine.number_id, :turn FROM person_numbers mine
    WHERE {_SHARED.format(person=":person")} AND NOT EXISTS (
      SELECT 1 FROM person_numbers theirs JOIN number_locks held ON held.number_id = theirs.number_id
      WHERE theirs.person_id = :person)
    ORDER BY mine.number_id
    ON CONFLICT DO NOTHING RETURNING number_id
    """
)
"""All of a person's shared numbers or none: looking first means not waiting for whoever is about to free one, who may
need a row that this transaction, if it planned people before the claim, holds itself; and in one order for everybody,
since two claims that wait for each other's numbers would be a deadlock (PostgreSQL)."""
_UNLOCK = _typed("DELETE FROM number_locks WHERE turn_id = :turn")
_DELETE = _typed("DELETE FROM turns WHERE id = :turn")
_DELETE_BY_HAND = _typed("DELETE FROM turns WHERE id = :turn AND lane = 0")
"""A card opened by hand, or for somebody on the line, is not for the next officer."""
_BUMP = _typed("UPDATE queue_entries SET version = version + 1 WHERE id = :entry")
_STEP_BACK = _typed("UPDATE turns SET due_at = :later WHERE id = :turn AND token IS NULL")
_FREE = _typed(
    """
    UPDATE turns SET token = NULL, officer_id = NULL, granted_at = NULL, granted_on = NULL, renewed_at = NULL,
      lease_until = NULL, due_weights = NULL, attempt_id = NULL
    WHERE id = :turn
    """
)
_EXPIRED = _typed(
    "SELECT id FROM turns WHERE token IS NOT NULL AND attempt_id IS NULL AND lease_until < :now "
    "ORDER BY lease_until LIMIT :limit"
)
_LOG = _typed(
    """
    INSERT INTO lease_log (token, entry_id, person_id, programme_id, territory_id, officer_id, lane, entry_version,
      due_weights, granted_on, granted_at, ended_at, ending, skip_reason)
    SELECT t.token, t.entry_id, t.person_id, t.programme_id, t.territory_id, t.officer_id, t.lane, e.version,
      t.due_weights, coalesce(t.granted_on, (SELECT l.granted_on FROM lease_log l WHERE l.token = t.token)),
      t.granted_at, :now, :ending, :skip_reason
    FROM turns t JOIN queue_entries e ON e.id = t.entry_id
    WHERE t.id = :turn AND t.token IS NOT NULL
    ON CONFLICT (token) DO UPDATE SET ended_at = excluded.ended_at, ending = excluded.ending
    """
)
_ENDED = _typed("SELECT person_id FROM lease_log WHERE token = :token AND officer_id = :officer")
_LAPSED = _typed(
    """
    SELECT l.entry_id, l.officer_id FROM lease_log l JOIN queue_entries e ON e.id = l.entry_id
    WHERE l.token = :token AND l.ending = 'expired' AND e.version = l.entry_version AND e.state = 'open'
      AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.person_id = l.person_id AND t.token IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM lease_log n WHERE n.person_id = l.person_id AND n.id > l.id)
    """
)
_REVIVE = _typed(
    """
    INSERT INTO turns (entry_id, person_id, programme_id, territory_id, lane, priority, due_at, due_until, reason,
      shares_number)
    SELECT l.entry_id, l.person_id, l.programme_id, l.territory_id, l.lane, 2, l.granted_at, :until, e.reason, true
    FROM lease_log l JOIN queue_entries e ON e.id = l.entry_id
    WHERE l.token = :token
    ON CONFLICT DO NOTHING
    """
)
_RETAKE = _typed(
    f"UPDATE turns SET {_SET_LEASE.replace(':day', 'NULL').replace(':due_weights', 'NULL')} "
    f"WHERE entry_id = :entry AND token IS NULL RETURNING {_COLUMNS}"
)


def claim_next(
    session: Session,
    ledger: Ledger,
    *,
    programme_id: int,
    officer_id: int,
    day: date,
    now: datetime,
    lifetime: timedelta,
    own: Collection[int] = (),
) -> Lease | None:
    """Give an officer the next person, or the one they hold already; None when nobody is ready.

    `day`: the programme's civil day, on which the balance counts. `own`: the officer's territories, a tie-break.
    The promises of officers who are not present and available now are open to the team.
    """
    for _ in range(RACES):
        token = secrets.token_urlsafe(24)
        first, weights = ledger.take_turn(session, programme_id, token=token, day=day, now=now, own=own)
        claim = {
            "programme": programme_id,
            "officer": officer_id,
            "now": now,
            "day": day,
            "until": now + lifetime,
            "token": token,
            "due_weights": weights,
            "seen_after": now - PRESENCE_LIFETIME,
        }
        for chunk in _chunks(ledger, programme_id, day, first, own):
            lease, raced = _attempt_claim(session, claim, chunk)
            if lease is not None:
                counted = lease.territory_id if lease.lane is Lane.ORDINARY else None
                ledger.settle(programme_id, day=day, token=token, territory=counted)
                return lease
            if raced:
                break
        else:
            ledger.settle(programme_id, day=day, token=token, territory=None)
            ledger.forget(programme_id, day=day)
            return of_officer(session, officer_id)
        ledger.settle(programme_id, day=day, token=token, territory=None)
    return of_officer(session, officer_id)


def _chunks(
    ledger: Ledger, programme_id: int, day: date, first: int | None, own: Collection[int]
) -> Iterator[Sequence[int]]:
    """The first territory nearly always has somebody: asking for it alone is the shortest statement."""
    yield () if first is None else (first,)
    others = ledger.others(programme_id, day=day, besides=first, own=own)
    for start in range(0, len(others), TERRITORIES_AT_ONCE):
        yield others[start : start + TERRITORIES_AT_ONCE]


def claim_person(
    session: Session,
    *,
    turn_id: int,
    officer_id: int,
    day: date,
    now: datetime,
    lifetime: timedelta,
    counted: bool = True,
) -> Lease | None:
    """Give an officer a given person, found by search or calling in; None when a colleague is on them.

    `counted` False leaves it out of the balance: the card was served, and counted, before.
    """
    claim = {
        "turn": turn_id,
        "officer": officer_id,
        "now": now,
        "day": day,
        "until": now + lifetime,
        "token": secrets.token_urlsafe(24),
        "due_weights": None if counted else UNCOUNTED,
    }
    lease, _ = _take(session, _TAKE_ONE, claim)
    return lease


def of_officer(session: Session, officer_id: int) -> Lease | None:
    """Return the lease that an officer holds."""
    return _one(session, _OF_OFFICER, {"officer": officer_id})


def of_token(session: Session, token: str) -> Lease | None:
    """Return the lease that a token opens, if it is still the current one."""
    return _one(session, _OF_TOKEN, {"token": token})


def of_person(session: Session, person_id: int) -> Lease | None:
    """Return the lease on a person, whoever holds it."""
    return _one(session, _OF_PERSON, {"person": person_id})


def without_attempt(session: Session, programme_id: int) -> list[Lease]:
    """Return the leases of a programme under which no call was made."""
    rows = _WITHOUT_ATTEMPT.rows(session, {"programme": programme_id})
    return [_lease(row) for row in rows]


def renew(
    session: Session, token: str, *, officer_id: int, now: datetime, lifetime: timedelta
) -> Lease | None:
    """Extend a lease; one that lapsed is taken again if nobody superseded it, else None."""
    parameters = {"token": token, "officer": officer_id, "now": now, "until": now + lifetime}
    return _one(session, _RENEW, parameters) or _take_again(session, parameters)


def start_attempt(
    session: Session, lease: Lease, *, attempt_id: int, now: datetime, lifetime: timedelta
) -> None:
    """Note the open attempt: from here on the lease never goes back to the pool by itself."""
    parameters = {
        "turn": lease.turn_id,
        "token": lease.token,
        "attempt": attempt_id,
        "now": now,
        "until": now + lifetime,
    }
    _START.run(session, parameters)


def release(session: Session, lease: Lease, *, now: datetime) -> None:
    """Give a person back untouched; refused once an attempt is open, since the call has been made."""
    if lease.attempt_id is not None:
        raise NotAllowed(
            "Un appel a été lancé : indiquez son résultat avant de rendre la fiche.", reason="attempt_open"
        )
    _log(session, lease.turn_id, LeaseEnding.RELEASED, now=now)
    _free(session, lease.turn_id)


def end(
    session: Session, lease: Lease, ending: LeaseEnding, *, now: datetime, skip_reason: str | None = None
) -> None:
    """End a lease for good: the turn disappears and its numbers are free; the entry is planned again by the caller."""
    _log(session, lease.turn_id, ending, now=now, skip_reason=skip_reason)
    _UNLOCK.run(session, {"turn": lease.turn_id})
    _DELETE.run(session, {"turn": lease.turn_id})
    _BUMP.run(session, {"entry": lease.entry_id})


def reclaim_expired(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Return lapsed leases without an attempt to the pool; say how many."""
    turns = _EXPIRED.rows(session, {"now": now, "limit": limit})
    for turn in turns:
        _log(session, turn.id, LeaseEnding.EXPIRED, now=now)
        _free(session, turn.id)
    return len(turns)


def person_of_ended(session: Session, token: str, *, officer_id: int) -> int | None:
    """Return whom an officer's ended lease was on, or None for a token that was never theirs."""
    row = _ENDED.first(session, {"token": token, "officer": officer_id})
    return None if row is None else int(row.person_id)


@lru_cache(maxsize=2 * TERRITORIES_AT_ONCE + 2)
def _claim_statement(territories: int, locking: bool) -> Prepared:
    """Build the claim: the urgent lanes first, then each priority of each territory in the order of its turn.

    The conditions on `token` and `lane` are literals and each territory and priority an equality, so that the partial
    indexes serve every branch; a branch is read only when those before it are empty.
    """
    lock = " FOR UPDATE SKIP LOCKED" if locking else ""
    urgent = (
        f"SELECT id FROM turns WHERE {_READY} AND lane < 4 AND (reserved_for IS NULL OR reserved_for = :officer "
        "OR team_from <= :now OR NOT EXISTS (SELECT 1 FROM presences p WHERE p.user_id = reserved_for "
        "AND p.state = 'available' AND p.seen_at > :seen_after)) "
        f"ORDER BY lane, CASE WHEN reserved_for = :officer THEN 0 ELSE 1 END, due_at LIMIT 1{lock}"
    )
    branches = [
        urgent,
        *(
            f"SELECT id FROM turns WHERE {_READY} AND lane = 4 AND territory_id = :t{position} "
            f"AND priority = {priority} ORDER BY due_at LIMIT 1{lock}"
            for position in range(territories)
            for priority in PRIORITIES
        ),
    ]
    heads = " UNION ALL ".join(
        f"SELECT id FROM ({branch}) AS b{number}" for number, branch in enumerate(branches)
    )
    claim = (
        f"UPDATE turns SET {_SET_LEASE} WHERE id = (SELECT id FROM ({heads}) AS heads LIMIT 1) "
        "AND NOT EXISTS (SELECT 1 FROM turns mine WHERE mine.officer_id = :officer) "
        "RETURNING id, entry_id, person_id, territory_id, lane, due_at, number_id, shares_number, reason, callback_id, "
        "(SELECT count(*) FROM person_numbers mine WHERE turns.shares_number "
        f"AND {_SHARED.format(person='turns.person_id')}) AS shared"
    )
    return _typed(claim)


def _attempt_claim(
    session: Session, claim: dict[str, Any], territories: Sequence[int]
) -> tuple[Lease | None, bool]:
    """Claim somebody of these territories, or whoever goes before; the second: whether a number was held."""
    locking = session.get_bind().dialect.name == "postgresql"
    statement = _claim_statement(len(territories), locking)
    asked = claim | {f"t{n}": territory for n, territory in enumerate(territories)}
    row = statement.first(session, asked)
    if row is None:
        return None, False
    return _with_numbers(session, _granted(row, claim), claim, row.shared)


def _granted(row: Any, claim: dict[str, Any]) -> Lease:
    """Return the lease of a claim: what the statement returned, and what it was told to write."""
    return Lease(
        token=claim["token"],
        turn_id=row.id,
        entry_id=row.entry_id,
        person_id=row.person_id,
        programme_id=claim["programme"],
        territory_id=row.territory_id,
        officer_id=claim["officer"],
        lane=Lane(row.lane),
        due_at=row.due_at,
        number_id=row.number_id,
        shares_number=bool(row.shares_number),
        reason=row.reason,
        callback_id=row.callback_id,
        attempt_id=None,
        granted_at=claim["now"],
        renewed_at=claim["now"],
        until=claim["until"],
        granted_now=True,
    )


def _take(session: Session, statement: Prepared, claim: dict[str, Any]) -> tuple[Lease | None, bool]:
    """Claim a given person; return the lease, or None and whether a colleague is on one of their numbers.

    Two claims of one officer never run at once: both renew the officer's presence first, in this transaction.
    """
    return _with_numbers(session, _one(session, statement, claim), claim)


def _with_numbers(
    session: Session, lease: Lease | None, claim: dict[str, Any], shared: int | None = None
) -> tuple[Lease | None, bool]:
    """Keep a lease only with the person's shared numbers (so many); else the person steps back for a moment."""
    if lease is None or not lease.shares_number:
        return lease, False
    if shared is None:
        shared = _COUNT_SHARED.value(session, {"person": lease.person_id})
    if shared == 0:
        return lease, False
    locked = _LOCK.rows(session, {"turn": lease.turn_id, "person": lease.person_id})
    if len(locked) == shared:
        return lease, False
    _UNLOCK.run(session, {"turn": lease.turn_id})
    _FREE.run(session, {"turn": lease.turn_id})
    _STEP_BACK.run(session, {"turn": lease.turn_id, "later": claim["now"] + HELD_BY_COLLEAGUE})
    return None, True


def _take_again(session: Session, parameters: dict[str, Any]) -> Lease | None:
    """Take a lapsed lease again under its own token; the balance has counted it already."""
    lapsed = _LAPSED.first(session, {"token": parameters["token"]})
    if lapsed is None or lapsed.officer_id != parameters["officer"]:
        return None
    parameters = parameters | {"entry": lapsed.entry_id}
    try:
        with session.begin_nested():
            _REVIVE.run(session, parameters)
            return _take(session, _RETAKE, parameters)[0]
    except IntegrityError:  # the officer holds another card by now
        return None


def _one(session: Session, statement: Prepared, parameters: dict[str, Any]) -> Lease | None:
    row = statement.first(session, parameters)
    return None if row is None else _lease(row)


def _lease(row: Any) -> Lease:
    return Lease(
        token=row.token,
        turn_id=row.id,
        entry_id=row.entry_id,
        person_id=row.person_id,
        programme_id=row.programme_id,
        territory_id=row.territory_id,
        officer_id=row.officer_id,
        lane=Lane(row.lane),
        due_at=row.due_at,
        number_id=row.number_id,
        shares_number=bool(row.shares_number),
        reason=row.reason,
        callback_id=row.callback_id,
        attempt_id=row.attempt_id,
        granted_at=row.granted_at,
        renewed_at=row.renewed_at,
        until=row.lease_until,
    )


def _log(
    session: Session, turn_id: int, ending: LeaseEnding, *, now: datetime, skip_reason: str | None = None
) -> None:
    _LOG.run(session, {"turn": turn_id, "ending": str(ending), "now": now, "skip_reason": skip_reason})


def _free(session: Session, turn_id: int) -> None:
    _UNLOCK.run(session, {"turn": turn_id})
    _DELETE_BY_HAND.run(session, {"turn": turn_id})
    _FREE.run(session, {"turn": turn_id})
