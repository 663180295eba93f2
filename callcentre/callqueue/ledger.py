"""What was served and due today, recomputed from the leases themselves.

Nothing is counted in a shared row: each process folds the day's leases into memory as they appear, so claims never
wait for one another. Claims of this process that are still being committed are counted too; those of other processes
are counted once they are committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from sqlalchemy import Date, bindparam, text
from sqlalchemy.orm import Session

from callcentre.callqueue.balance import Position, add_shares, parts, turn_order, written
from callcentre.callqueue.days import ensure_day
from callcentre.database import UtcDateTime

OVERLAP = 200
"""Log rows read again at each look: a transaction may commit after one that took a later number."""
CLAIM_KEPT = timedelta(seconds=30)
"""How long a claim of this process is remembered: far longer than its transaction takes."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_LEASES = text(
    """
    SELECT id, token, territory_id, due_weights FROM lease_log
    WHERE programme_id = :programme AND granted_on = :day AND id > :after AND lane = 4
    UNION ALL
    SELECT -id, token, territory_id, due_weights FROM turns
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
    served: Counter[int] = field(default_factory=Counter)
    shares: dict[int, float] = field(default_factory=dict)
    folded: set[int] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    last: int = 0

    def copy(self) -> _Fold:
        return _Fold(Counter(self.served), dict(self.shares))

    def add(self, claims: Iterable[tuple[int, str | None]]) -> None:
        """Count claims, each given as its territory and its written weights."""
        counted = [
            (territory, weights or f"{territory}:1")
            for territory, weights in claims
            if weights != ""  # given back to its officer: counted when it was first served
        ]
        self.served.update(territory for territory, _ in counted)
        add_shares(self.shares, (weights for _, weights in counted))


@dataclass(frozen=True)
class _Claim:
    """A claim of this process: when it was made, the territory whose turn it took, the written weights of the due."""

    at: datetime
    territory: int
    weights: str


class _Look:
    """Positions as the database showed them at `at`, with the claims of this process that it did not show.

    Changed only while the ledger's lock is held.
    """

    def __init__(self, at: datetime, positions: Mapping[int, Position], seen: Collection[str]) -> None:
        self.at, self.shown = at, positions
        self.renewed_at: datetime | None = None
        """When a thread began to look afresh; the others use this one until it has."""
        self.due = {place: position.weight for place, position in positions.items() if position.due}
        self.weights = written(self.due)
        self._seen = seen
        self._served = {territory: position.served for territory, position in positions.items()}
        self._shares = {territory: position.share for territory, position in positions.items()}

    def is_good(self, now: datetime, cache: timedelta) -> bool:
        """Tell whether to use it at `now`; once it is old, the first who asks is told to look afresh."""
        if not cache or now < self.at or now >= self.at + 3 * cache:
            return False
        if now < self.at + cache or (self.renewed_at is not None and now < self.renewed_at + cache):
            return True
        self.renewed_at = now
        return False

    def count(self, token: str, claim: _Claim, times: int = 1) -> None:
        """Count a claim, unless the database showed it; `times` -1 takes it back."""
        if token in self._seen:
            return
        self._served[claim.territory] = self._served.get(claim.territory, 0) + times
        for territory, part in parts(claim.weights):
            self._shares[territory] = self._shares.get(territory, 0.0) + times * part

    def order(self, own: Collection[int]) -> list[int]:
        """Return the territories with due people, the one whose turn it is first."""
        served, shares = self._served, self._shares
        return turn_order(
            {
                place: Position(served[place], shares[place], weight, True)
                for place, weight in self.due.items()
            },
            own=own,
        )


class Ledger:
    """The day's positions of a programme's territories; one per process, safe between threads.

    `cache`: how long a look may be used again. Zero looks at every claim, which is right up to about fifty officers.
    """

    def __init__(self, cache: timedelta = timedelta(0)) -> None:
        self._cache = cache
        self._lock = Lock()
        self._folds: dict[tuple[int, date], _Fold] = {}
        self._looks: dict[tuple[int, date], _Look] = {}
        self._claims: dict[tuple[int, date], dict[str, _Claim]] = {}
        self._dry: dict[int, datetime] = {}

    def positions(
        self, session: Session, programme_id: int, *, day: date, now: datetime
    ) -> dict[int, Position]:
        """Return each territory's position on `day`, by territory id, as the database shows it."""
        return dict(self._current(session, programme_id, day, now).shown)

    def take_turn(
        self,
        session: Session,
        programme_id: int,
        *,
        token: str,
        day: date,
        now: datetime,
        own: Collection[int] = (),
    ) -> tuple[list[int], str]:
        """Return the territories with due people in the order of their turn, and their weights as they are written.

        The first counts as served from here on, so that officers who ask at the same moment take turns too; `settle`
        then says what became of the claim.
        """
        look = self._current(session, programme_id, day, now)
        with self._lock:
            # Another thread may have looked since: its look counts every claim made here so far.
            look = self._looks.get((programme_id, day), look)
            order = look.order(own)
            if order:
                claim = _Claim(now, order[0], look.weights)
                self._recent(programme_id, day, now)[token] = claim
                look.count(token, claim)
        return order, look.weights

    def settle(self, programme_id: int, *, day: date, token: str, territory: int | None) -> None:
        """Say from which territory a claim was served; None when it found nobody or does not count."""
        key = programme_id, day
        with self._lock:
            claims = self._claims.get(key, {})
            claim = claims.get(token)
            if claim is None or claim.territory == territory:
                return
            look = self._looks.get(key)
            if look is not None:
                look.count(token, claim, -1)
            del claims[token]
            if territory is not None:
                claims[token] = corrected = replace(claim, territory=territory)
                if look is not None:
                    look.count(token, corrected)

    def forget(self, programme_id: int, *, day: date) -> None:
        """Look afresh at the next claim, because a territory proved empty or new people are ready."""
        with self._lock:
            look = self._looks.get((programme_id, day))
            if look is not None:
                look.at = _LONG_AGO

    def dry(self, programme_id: int, *, until: datetime) -> None:
        """Remember that nobody more can be planned before `until`."""
        with self._lock:
            self._dry[programme_id] = until

    def is_dry(self, programme_id: int, *, now: datetime) -> bool:
        """Tell whether planning more people was fruitless a moment ago."""
        until = self._dry.get(programme_id)
        return until is not None and until - timedelta(minutes=5) < now < until

    def _recent(self, programme_id: int, day: date, now: datetime) -> dict[str, _Claim]:
        """The claims of this process that the database may not show yet; the lock is held."""
        key = programme_id, day
        claims = self._claims.get(key)
        if claims is None:  # a new day: the earlier ones are not asked for again
            self._claims = {other: kept for other, kept in self._claims.items() if other[0] != programme_id}
            self._looks = {
                other: look for other, look in self._looks.items() if other[0] != programme_id or other == key
            }
            claims = self._claims[key] = {}
        oldest = now - CLAIM_KEPT - 2 * self._cache
        while claims and (first := next(iter(claims.items())))[1].at < oldest:
            del claims[first[0]]
        return claims

    def _current(self, session: Session, programme_id: int, day: date, now: datetime) -> _Look:
        key = programme_id, day
        with self._lock:
            look = self._looks.get(key)
            if look is not None and look.is_good(now, self._cache):
                return look
        positions, seen = self._look(session, programme_id, day, now)
        with self._lock:
            look = self._looks[key] = _Look(now, positions, seen)
            for token, claim in self._recent(programme_id, day, now).items():
                look.count(token, claim)
        return look

    def _look(
        self, session: Session, programme_id: int, day: date, now: datetime
    ) -> tuple[dict[int, Position], frozenset[str]]:
        due = self._due(session, programme_id, day, now)
        if not due:
            ensure_day(session, programme_id, day=day)
            due = self._due(session, programme_id, day, now)
        state, seen = self._folded(session, programme_id, day)
        positions = {
            territory: Position(state.served[territory], state.shares.get(territory, 0.0), weight, is_due)
            for territory, (weight, is_due) in due.items()
        }
        return positions, seen

    @staticmethod
    def _due(session: Session, programme_id: int, day: date, now: datetime) -> dict[int, tuple[float, bool]]:
        rows = session.execute(_DUE, {"programme": programme_id, "day": day, "now": now})
        return {territory: (float(weight), bool(due)) for territory, weight, due in rows}

    def _folded(self, session: Session, programme_id: int, day: date) -> tuple[_Fold, frozenset[str]]:
        """What the database shows of the day's claims, and which claims of this process it shows."""
        key = programme_id, day
        with self._lock:
            fold = self._folds.get(key)
            if fold is None:  # a new day: the earlier ones are not asked for again
                self._folds = {other: f for other, f in self._folds.items() if other[0] != programme_id}
                fold = self._folds[key] = _Fold()
            after = fold.last - OVERLAP
        rows = session.execute(_LEASES, {"programme": programme_id, "day": day, "after": after}).all()
        with self._lock:
            ended = [row for row in rows if row.id > 0 and row.id not in fold.folded]
            fold.folded.update(row.id for row in ended)
            fold.tokens.update(row.token for row in ended)
            fold.last = max([fold.last, *(row.id for row in ended)])
            fold.add((row.territory_id, row.due_weights) for row in ended)
            # A lease that ended after it was read as held has been folded by another thread meanwhile.
            held = [row for row in rows if row.id < 0 and row.token not in fold.tokens]
            shown = {row.token for row in held}
            ours = self._claims.get(key, ())
            seen = frozenset(token for token in ours if token in fold.tokens or token in shown)
            state = fold.copy()
        state.add((row.territory_id, row.due_weights) for row in held)
        return state, seen
