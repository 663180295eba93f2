"""What was served and due today, recomputed from the leases themselves.

Nothing is counted in a shared row: each process counts the day's leases in memory as they appear, each once, so claims
never wait for one another. Claims of this process that are still being committed are counted too; those of other
processes are counted once they are committed.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import BindParameter, Date, bindparam, text
from sqlalchemy.orm import Session

from callcentre.callqueue.balance import Position, add_shares, first_in_turn, in_turn, parts, written
from callcentre.callqueue.days import ensure_day
from callcentre.database import UtcDateTime
from callcentre.statements import Prepared

OVERLAP = 200
"""Log rows counted again at each look: a transaction may commit after one that took a later number."""
CLAIM_KEPT = timedelta(seconds=30)
"""How long a claim of this process is remembered: far longer than its transaction takes."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_TERRITORY, _HELD, _ENDED, _ENDED_COUNT = range(4)
_SOMEBODY_DUE = (
    "EXISTS (SELECT 1 FROM turns t WHERE t.token IS NULL AND t.lane = 4 AND t.programme_id = d.programme_id "
    "AND t.territory_id = d.territory_id AND t.priority = {} AND t.due_at <= :now AND t.due_until > :now)"
)
_DUE = (
    f"SELECT {_TERRITORY} AS kind, d.territory_id, d.weight, CASE WHEN "
    + " OR ".join(_SOMEBODY_DUE.format(priority) for priority in range(3))
    + " THEN 1 ELSE 0 END AS number, NULL AS token, NULL AS due_weights "
    "FROM territory_days d WHERE d.programme_id = :programme AND d.day = :day"
)
_LEASED = (
    f"SELECT {_HELD}, territory_id, 0, lane, token, due_weights FROM turns "
    "WHERE programme_id = :programme AND granted_on = :day AND token IS NOT NULL AND lane = 4"
)
_LOGGED = (
    f"SELECT {_ENDED}, CASE WHEN lane = 4 THEN territory_id END, 0, id, token, due_weights FROM lease_log "
    "WHERE programme_id = :programme AND granted_on = :day AND id > "
)
_LOGGED_COUNT = (
    f"SELECT {_ENDED_COUNT}, NULL, 0, count(*), NULL, NULL FROM lease_log "
    "WHERE programme_id = :programme AND granted_on = :day AND id > :after AND id <= :last"
)


def _dated(sql: str) -> Prepared:
    bound: list[BindParameter[Any]] = [bindparam("day", type_=Date())]
    return Prepared(
        text(sql).bindparams(*bound, *([bindparam("now", type_=UtcDateTime())] if ":now" in sql else []))
    )


_SEEN = _dated(" UNION ALL ".join((_DUE, _LEASED, f"{_LOGGED}:last", _LOGGED_COUNT)))
"""All that a look needs, in one statement and so at one moment: what is due, what is held, what has ended since."""
_SEEN_LATE = _dated(f"{_LOGGED}:after")


@dataclass(frozen=True)
class _Claim:
    """A claim of this process: when it was made, the territory whose turn it took, the written weights of the due."""

    at: datetime
    territory: int
    weights: str


class _Day:
    """A programme's civil day as this process knows it; changed only while the ledger's lock is held.

    Counted are the leases that the database has shown, each once, and the claims of this process that it has not.
    """

    def __init__(self) -> None:
        self.served: Counter[int] = Counter()
        self.shares: dict[int, float] = {}
        self.weights: dict[int, float] = {}
        self.due: dict[int, float] = {}
        self.written = ""
        self.looked_at = _LONG_AGO
        self.looks = 0
        self.last = 0
        self._kept = 0
        self._renewed_at: datetime | None = None
        self._ended: list[int] = []
        self._shown: set[str] = set()
        self._claims: dict[str, _Claim] = {}

    def is_good(self, now: datetime, cache: timedelta) -> bool:
        """Tell whether to use the last look at `now`; once it is old, the first who asks is told to look afresh."""
        if not cache or now < self.looked_at or now >= self.looked_at + 3 * cache:
            return False
        if now < self.looked_at + cache or (self._renewed_at is not None and now < self._renewed_at + cache):
            return True
        self._renewed_at = now
        return False

    def ended_after(self, log_id: int) -> int:
        """Return how many ended leases are known with a number above this one, up to `last`."""
        return len(self._ended) - bisect_right(self._ended, log_id)

    def see(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Count the leases that the database shows and that were not counted yet."""
        claims = []
        for kind, territory, _, number, token, weights in rows:
            if kind == _ENDED:
                self._note_ended(number)
            elif kind != _HELD:
                continue
            if token in self._shown:
                continue
            self._shown.add(token)
            if self._claims.pop(token, None) is None and territory is not None and weights != "":
                claims.append((territory, weights or f"{territory}:1"))
        # Weights "" are those of a lease given back to its officer: it was counted when it was first served.
        self.served.update(territory for territory, _ in claims)
        add_shares(self.shares, (weights for _, weights in claims))

    def keep(self, rows: Iterable[tuple[Any, ...]], number: int, now: datetime) -> None:
        """Keep what a look showed to be due, unless one that began later was kept already."""
        if number < self._kept:
            return
        territories = [row for row in rows if row[0] == _TERRITORY]
        self._kept, self.looked_at = number, now
        self.weights = {territory: float(weight) for _, territory, weight, *_ in territories}
        self.due = {territory: float(weight) for _, territory, weight, is_due, *_ in territories if is_due}
        self.written = written(self.due)

    def take(self, token: str, claim: _Claim) -> None:
        """Count a claim that is being made."""
        self._claims[token] = claim
        self._count(claim, 1)

    def settle(self, token: str, territory: int | None) -> None:
        """Count a claim where it was served from; None: not at all."""
        claim = self._claims.get(token)
        if claim is None or claim.territory == territory:
            return
        self._count(self._claims.pop(token), -1)
        if territory is not None:
            self.take(token, replace(claim, territory=territory))

    def forget_before(self, oldest: datetime) -> None:
        """Take back the claims that the database has not shown long after they were made: they were undone."""
        while self._claims and (first := next(iter(self._claims.items())))[1].at < oldest:
            self._count(self._claims.pop(first[0]), -1)

    def _note_ended(self, number: int) -> None:
        if number > self.last:
            self._ended.append(number)
            self.last = number
        elif self.ended_after(number - 1) == self.ended_after(number):
            insort(self._ended, number)

    def _count(self, claim: _Claim, times: int) -> None:
        self.served[claim.territory] += times
        for territory, part in parts(claim.weights):
            self.shares[territory] = self.shares.get(territory, 0.0) + times * part


class Ledger:
    """The day's positions of a programme's territories; one per process, safe between threads.

    `cache`: how long a look may be used again. Zero looks at every claim, which is right up to about fifty officers.
    """

    def __init__(self, cache: timedelta = timedelta(0)) -> None:
        self._cache = cache
        self._lock = Lock()
        self._days: dict[tuple[int, date], _Day] = {}
        self._dry: dict[int, datetime] = {}

    def positions(
        self, session: Session, programme_id: int, *, day: date, now: datetime
    ) -> dict[int, Position]:
        """Return each territory's position on `day`, by territory id."""
        known = self._current(session, programme_id, day, now)
        with self._lock:
            return {
                place: Position(known.served[place], known.shares.get(place, 0.0), weight, place in known.due)
                for place, weight in known.weights.items()
            }

    def take_turn(
        self,
        session: Session,
        programme_id: int,
        *,
        token: str,
        day: date,
        now: datetime,
        own: Collection[int] = (),
    ) -> tuple[int | None, str]:
        """Return the territory whose turn it is, None when nobody is due, and the weights of the due as written.

        It counts as served from here on, so that officers who ask at the same moment take turns too; `settle` then
        says what became of the claim.
        """
        known = self._current(session, programme_id, day, now)
        with self._lock:
            known.forget_before(now - CLAIM_KEPT - 2 * self._cache)
            first = first_in_turn(known.due, known.served, known.shares, own=own)
            if first is not None:
                known.take(token, _Claim(now, first, known.written))
            return first, known.written

    def others(
        self, programme_id: int, *, day: date, besides: int | None, own: Collection[int] = ()
    ) -> list[int]:
        """Return the other territories with due people in the order of their turn, for when the first proved empty."""
        with self._lock:
            known = self._days.get((programme_id, day))
            order = [] if known is None else in_turn(known.due, known.served, known.shares, own=own)
        return [territory for territory in order if territory != besides]

    def settle(self, programme_id: int, *, day: date, token: str, territory: int | None) -> None:
        """Say from which territory a claim was served; None when it found nobody or does not count."""
        with self._lock:
            known = self._days.get((programme_id, day))
            if known is not None:
                known.settle(token, territory)

    def forget(self, programme_id: int, *, day: date) -> None:
        """Look afresh at the next claim, because a territory proved empty or new people are ready."""
        with self._lock:
            known = self._days.get((programme_id, day))
            if known is not None:
                known.looked_at = _LONG_AGO

    def dry(self, programme_id: int, *, until: datetime) -> None:
        """Remember that nobody more can be planned before `until`."""
        with self._lock:
            self._dry[programme_id] = until

    def is_dry(self, programme_id: int, *, now: datetime) -> bool:
        """Tell whether planning more people was fruitless a moment ago."""
        until = self._dry.get(programme_id)
        return until is not None and until - timedelta(minutes=5) < now < until

    def _current(self, session: Session, programme_id: int, day: date, now: datetime) -> _Day:
        key = programme_id, day
        with self._lock:
            known = self._days.get(key)
            if known is None:  # a new day: the earlier ones are not asked for again
                self._days = {other: kept for other, kept in self._days.items() if other[0] != programme_id}
                known = self._days[key] = _Day()
            if known.is_good(now, self._cache):
                return known
            known.looks += 1
            number, last = known.looks, known.last
            after = max(0, last - OVERLAP)
            expected = known.ended_after(after)
        asked = {"programme": programme_id, "day": day, "now": now, "last": last, "after": after}
        rows = self._look(session, asked, expected)
        if not any(row[0] == _TERRITORY for row in rows):
            ensure_day(session, programme_id, day=day)
            rows = self._look(session, asked, expected)
        with self._lock:
            known.see(rows)
            known.keep(rows, number, now)
        return known

    @staticmethod
    def _look(session: Session, asked: dict[str, Any], expected: int) -> list[tuple[Any, ...]]:
        """Return what the database shows; `expected`: ended leases known among those counted again."""
        rows: list[Any] = _SEEN.rows(session, asked)
        if any(row[0] == _ENDED_COUNT and row[3] != expected for row in rows):
            rows += _SEEN_LATE.rows(session, asked)
        return rows
