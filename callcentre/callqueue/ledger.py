"""What was served and due today, recomputed from the leases themselves.

Nothing is counted in a shared row: each process folds the day's leases into memory as they appear, so claims never
wait for one another. Claims of this process that are still being committed are counted too; those of other processes
are counted once they are committed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Lock

from sqlalchemy import Date, bindparam, text
from sqlalchemy.orm import Session

from callcentre.callqueue.balance import Position, add_share, add_shares, turn_order
from callcentre.callqueue.days import ensure_day
from callcentre.database import UtcDateTime

OVERLAP = 200
"""Log rows read again at each look: a transaction may commit after one that took a later number."""
CLAIM_KEPT = timedelta(seconds=30)
"""How long a claim of this process is remembered: far longer than its transaction takes."""
CLAIMS_KEPT = 512
"""Claims of this process remembered at most."""

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
    served: dict[int, int] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)
    folded: set[int] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    last: int = 0

    def copy(self) -> _Fold:
        return _Fold(dict(self.served), dict(self.shares))

    def add(self, territory: int, due_weights: str | None) -> None:
        if due_weights == "":  # given back to its officer: counted when it was first served
            return
        self.served[territory] = self.served.get(territory, 0) + 1
        add_shares(self.shares, [due_weights or f"{territory}:1"])


@dataclass(frozen=True)
class _Claim:
    """A claim of this process: the territory whose turn it took, and what the due territories weighed."""

    at: datetime
    territory: int
    weights: Mapping[int, float]


@dataclass(frozen=True)
class _Look:
    """Positions as the database shows them; `seen`: claims of this process that they count already."""

    at: datetime
    positions: Mapping[int, Position]
    seen: frozenset[str]

    def with_claims(self, claims: Mapping[str, _Claim]) -> dict[int, Position]:
        """The positions once the claims that are being committed are counted."""
        served = {territory: position.served for territory, position in self.positions.items()}
        shares = {territory: position.share for territory, position in self.positions.items()}
        for token, claim in claims.items():
            if token not in self.seen:
                served[claim.territory] = served.get(claim.territory, 0) + 1
                add_share(shares, claim.weights)
        return {
            territory: Position(served[territory], shares[territory], position.weight, position.due)
            for territory, position in self.positions.items()
        }


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
        return dict(self._current(session, programme_id, day, now).positions)

    def take_turn(
        self,
        session: Session,
        programme_id: int,
        *,
        token: str,
        day: date,
        now: datetime,
        own: Collection[int] = (),
    ) -> tuple[list[int], dict[int, float]]:
        """Return the territories with due people in the order of their turn, and their weights.

        The first counts as served from here on, so that officers who ask at the same moment take turns too; `settle`
        then says what became of the claim.
        """
        look = self._current(session, programme_id, day, now)
        with self._lock:
            claims = self._recent(programme_id, day, now)
            positions = look.with_claims(claims)
            order = turn_order(positions, own=own)
            weights = {territory: positions[territory].weight for territory in order}
            if order:
                claims[token] = _Claim(now, order[0], weights)
        return order, weights

    def settle(self, programme_id: int, *, day: date, token: str, territory: int | None) -> None:
        """Say from which territory a claim was served; None when it found nobody or does not count."""
        with self._lock:
            claims = self._claims.get((programme_id, day), {})
            claim = claims.pop(token, None)
            if claim is not None and territory is not None:
                claims[token] = replace(claim, territory=territory)

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

    def _recent(self, programme_id: int, day: date, now: datetime) -> dict[str, _Claim]:
        """The claims of this process that the database may not show yet; the lock is held."""
        key = programme_id, day
        if key not in self._claims:
            self._claims = {other: kept for other, kept in self._claims.items() if other[0] != programme_id}
        oldest = now - CLAIM_KEPT - 2 * self._cache
        kept = [(token, claim) for token, claim in self._claims.get(key, {}).items() if claim.at >= oldest]
        self._claims[key] = dict(kept[-CLAIMS_KEPT:])
        return self._claims[key]

    def _current(self, session: Session, programme_id: int, day: date, now: datetime) -> _Look:
        key = programme_id, day
        with self._lock:
            look = self._looks.get(key)
            if look is not None and look.at <= now < look.at + self._cache:
                return look
        look = self._look(session, programme_id, day, now)
        if self._cache:
            with self._lock:
                self._looks[key] = look
        return look

    def _look(self, session: Session, programme_id: int, day: date, now: datetime) -> _Look:
        due = self._due(session, programme_id, day, now)
        if not due:
            ensure_day(session, programme_id, day=day)
            due = self._due(session, programme_id, day, now)
        state, seen = self._folded(session, programme_id, day)
        positions = {
            territory: Position(
                state.served.get(territory, 0), state.shares.get(territory, 0.0), weight, is_due
            )
            for territory, (weight, is_due) in due.items()
        }
        return _Look(now, positions, seen)

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
            for number, token, territory, due_weights in rows:
                if number > 0 and number not in fold.folded:
                    fold.folded.add(number)
                    fold.tokens.add(token)
                    fold.last = max(fold.last, number)
                    fold.add(territory, due_weights)
            # A lease that ended after it was read as held has been folded by another thread meanwhile.
            held = [row for row in rows if row[0] < 0 and row[1] not in fold.tokens]
            shown = {token for _, token, _, _ in held}
            ours = self._claims.get(key, ())
            seen = frozenset(token for token in ours if token in fold.tokens or token in shown)
            state = fold.copy()
        for _, _, territory, due_weights in held:
            state.add(territory, due_weights)
        return state, seen
