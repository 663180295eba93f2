"""What was served and due today, recomputed from the leases themselves.

Nothing is counted in a shared row: each process folds the day's leases into memory as they appear, so claims never
wait for one another. The numbers are exact but for claims that are still being committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock

from sqlalchemy import Date, bindparam, text
from sqlalchemy.orm import Session

from callcentre.callqueue.balance import Position, add_shares
from callcentre.callqueue.days import ensure_day
from callcentre.database import UtcDateTime

OVERLAP = 200
"""Log rows read again at each look: a transaction may commit after one that took a later number."""

_LEASES = text(
    """
    SELECT id, territory_id, due_weights FROM lease_log
    WHERE programme_id = :programme AND granted_on = :day AND id > :after AND lane = 4
    UNION ALL
    SELECT -id, territory_id, due_weights FROM turns
    WHERE programme_id = :programme AND granted_on = :day AND token IS NOT NULL AND lane = 4
    """
).bindparams(bindparam("day", type_=Date()))

_DUE = text(
    """
    SELECT d.territory_id, d.weight,
      EXISTS (SELECT 1 FROM turns t WHERE t.token IS NULL AND t.lane = 4 AND t.programme_id = d.programme_id
        AND t.territory_id = d.territory_id AND t.priority = 0 AND t.due_at <= :now AND t.due_until > :now)
      OR EXISTS (SELECT 1 FROM turns t WHERE t.token IS NULL AND t.lane = 4 AND t.programme_id = d.programme_id
        AND t.territory_id = d.territory_id AND t.priority = 1 AND t.due_at <= :now AND t.due_until > :now)
      OR EXISTS (SELECT 1 FROM turns t WHERE t.token IS NULL AND t.lane = 4 AND t.programme_id = d.programme_id
        AND t.territory_id = d.territory_id AND t.priority = 2 AND t.due_at <= :now AND t.due_until > :now)
    FROM territory_days d WHERE d.programme_id = :programme AND d.day = :day
    """
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("day", type_=Date()))


@dataclass
class _Fold:
    served: dict[int, int] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)
    folded: set[int] = field(default_factory=set)
    last: int = 0

    def copy(self) -> _Fold:
        return _Fold(dict(self.served), dict(self.shares))

    def add(self, territory: int, due_weights: str | None) -> None:
        if due_weights == "":  # given back to its officer: counted when it was first served
            return
        self.served[territory] = self.served.get(territory, 0) + 1
        add_shares(self.shares, [due_weights or f"{territory}:1"])


class Ledger:
    """The day's positions of a programme's territories; one per process, safe between threads.

    `cache`: how long a look may be used again. Zero looks at every claim, which is right up to about fifty officers;
    otherwise claims of this process since the last look are added in memory.
    """

    def __init__(self, cache: timedelta = timedelta(0)) -> None:
        self._cache = cache
        self._lock = Lock()
        self._folds: dict[tuple[int, date], _Fold] = {}
        self._looks: dict[tuple[int, date], tuple[datetime, dict[int, Position]]] = {}
        self._dry: dict[int, datetime] = {}

    def positions(
        self, session: Session, programme_id: int, *, day: date, now: datetime
    ) -> dict[int, Position]:
        """Return each territory's position on `day`, by territory id."""
        key = programme_id, day
        with self._lock:
            look = self._looks.get(key)
            if look is not None and look[0] <= now < look[0] + self._cache:
                return dict(look[1])
        positions = self._look(session, programme_id, day, now)
        if self._cache:
            with self._lock:
                self._looks[key] = now, positions
        return dict(positions)

    def granted(self, programme_id: int, *, day: date, territory: int, weights: Mapping[int, float]) -> None:
        """Add a claim of this process to the look in use, if there is one."""
        with self._lock:
            look = self._looks.get((programme_id, day))
            if look is None:
                return
            whole = sum(weights.values())
            for other, weight in weights.items():
                old = look[1][other]
                look[1][other] = Position(
                    old.served + (other == territory), old.share + weight / whole, old.weight, old.due
                )

    def forget(self, programme_id: int, *, day: date) -> None:
        """Look afresh at the next claim, because a territory proved empty or new people are ready."""
        with self._lock:
            self._looks.pop((programme_id, day), None)

    def dry(self, programme_id: int, *, until: datetime) -> None:
        """Remember that nobody more can be planned before `until`."""
        with self._lock:
            self._dry[programme_id] = until

    def is_dry(self, programme_id: int, *, now: datetime) -> bool:
        """Tell whether planning more people was fruitless a moment ago."""
        until = self._dry.get(programme_id)
        return until is not None and until - timedelta(minutes=5) < now < until

    def _look(self, session: Session, programme_id: int, day: date, now: datetime) -> dict[int, Position]:
        due = self._due(session, programme_id, day, now)
        if not due:
            ensure_day(session, programme_id, day=day)
            due = self._due(session, programme_id, day, now)
        state = self._folded(session, programme_id, day)
        return {
            territory: Position(
                state.served.get(territory, 0), state.shares.get(territory, 0.0), weight, is_due
            )
            for territory, (weight, is_due) in due.items()
        }

    @staticmethod
    def _due(session: Session, programme_id: int, day: date, now: datetime) -> dict[int, tuple[float, bool]]:
        rows = session.execute(_DUE, {"programme": programme_id, "day": day, "now": now})
        return {territory: (float(weight), bool(due)) for territory, weight, due in rows}

    def _folded(self, session: Session, programme_id: int, day: date) -> _Fold:
        key = programme_id, day
        with self._lock:
            fold = self._folds.get(key)
            if fold is None:  # a new day: the earlier ones are not asked for again
                self._folds = {other: f for other, f in self._folds.items() if other[0] != programme_id}
                fold = self._folds[key] = _Fold()
            after = fold.last - OVERLAP
        rows = session.execute(_LEASES, {"programme": programme_id, "day": day, "after": after}).all()
        with self._lock:
            for number, territory, due_weights in rows:
                if number > 0 and number not in fold.folded:
                    fold.folded.add(number)
                    fold.last = max(fold.last, number)
                    fold.add(territory, due_weights)
            now_held = fold.copy()
        for number, territory, due_weights in rows:
            if number < 0:
                now_held.add(territory, due_weights)
        return now_held
