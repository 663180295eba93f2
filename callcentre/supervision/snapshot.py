"""One frozen picture of now, cheap enough to take every second while somebody watches.

What changes by the second is read from small tables and indexes. Counts over everybody are taken again at
most every half minute, and the picture says when. Stage totals are counted once and followed by their
changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from threading import Lock

from sqlalchemy.orm import Session

from callcentre.accounts import queries as accounts
from callcentre.accounts.kinds import PresenceState, Role
from callcentre.accounts.queries import OfficerPresence, UserView
from callcentre.callqueue.ledger import OVERLAP, Ledger
from callcentre.directory import queries as directory
from callcentre.directory.queries import TerritoryView
from callcentre.funnel.stages import Stage
from callcentre.people.names import fold
from callcentre.programmes import Programme
from callcentre.retry.windows import local_midnight
from callcentre.supervision import queries
from callcentre.supervision.picture import (
    Conflict,
    OfficerNow,
    OfficerState,
    OpenCall,
    Picture,
    Promise,
    PromiseState,
    Ready,
    Refusal,
    SlowPart,
    TerritoryNow,
    Todo,
    digest_of,
)
from callcentre.supervision.queries import Day, DueCallback, Held

COUNT_AGAIN_AFTER = timedelta(seconds=30)
"""How old the counts over everybody may be."""

RESULTS = 8
"""Last results shown."""

AT_RISK_WITHIN = timedelta(minutes=10)
"""How long before its hour a promise is at risk when nobody is free for it."""


class Observer:
    """Takes the pictures of one programme; remembers between two of them what is costly to count anew."""

    def __init__(self, programme: Programme, programme_id: int, *, settle_after: timedelta) -> None:
        self.programme, self.programme_id = programme, programme_id
        self._settle_after = settle_after
        self._ledger = Ledger()
        self._lock = Lock()
        self._slow: SlowPart | None = None
        self._stages = _StageCount(programme_id)

    def take(self, session: Session, *, now: datetime) -> Picture:
        """Return the picture of `now`; reads only."""
        with self._lock:
            return self._take(session, now)

    def _take(self, session: Session, now: datetime) -> Picture:
        moment = _Moment.of(now, self.programme)
        territories = directory.territories(session, self.programme_id)
        labels = {territory.id: territory.label for territory in territories}
        held = {lease.officer_id: lease for lease in queries.leases(session)}
        contacts = [code for code, entry in self.programme.code_book().items() if entry.is_contact]
        days = queries.days_of_officers(session, self.programme_id, moment.midnight, contacts)
        silent_since = now - self._settle_after
        officers = _officers(session, held, days, labels, now, silent_since)
        ready = queries.ready(session, self.programme_id, now)
        results = queries.last_results(session, self.programme_id, moment.midnight, RESULTS)
        picture = Picture(
            programme_id=self.programme_id,
            taken_at=now,
            day=moment.today,
            officers=officers,
            ready=ready,
            leased=sum(lease.programme_id == self.programme_id for lease in held.values()),
            todo=self._todo(session, moment, officers, held.values()),
            imports=queries.imports(session, self.programme_id),
            stages=self._stages.now(session),
            calls_today=sum(day.calls for day in days.values()),
            contacts_today=sum(day.contacts for day in days.values()),
            results=tuple(replace(one, territory=labels.get(int(one.territory), "")) for one in results),
            territories=self._balance(session, moment, territories, ready),
            slow=self._slow_part(session, moment),
        )
        return replace(picture, digest=digest_of(picture))

    def _todo(
        self, session: Session, moment: _Moment, officers: tuple[OfficerNow, ...], held: Iterable[Held]
    ) -> Todo:
        callbacks = queries.callbacks(session, self.programme_id, moment.tomorrow)
        conflicts = queries.conflicts(session)
        refused = queries.guardian_refusals(session)
        silent = [h for h in held if h.has_open_call and moment.now >= h.renewed_at + self._settle_after]
        people = queries.names(
            session,
            {callback.person_id for callback in callbacks[: queries.AT_MOST]}
            | {lease.person_id for lease in silent}
            | {conflict.person_id for conflict in conflicts if conflict.person_id is not None}
            | {person for _, person, _ in refused if person is not None},
        )
        who = {officer.id: officer.name for officer in officers}
        missed_after = timedelta(minutes=self.programme.limits.promise_missed_minutes)
        states = [(c, _promise_state(c, officers, moment.now, missed_after)) for c in callbacks]
        return Todo(
            promises=tuple(
                Promise(
                    c.id,
                    c.person_id,
                    people.get(c.person_id, ""),
                    c.promised_at,
                    who.get(c.officer_id or 0),
                    s,
                )
                for c, s in states[: queries.AT_MOST]
            ),
            promise_counts={state: sum(s is state for _, s in states) for state in PromiseState},
            to_settle=tuple(_open_call(h, people, who) for h in sorted(silent, key=lambda h: h.renewed_at)),
            conflicts=tuple(
                Conflict(
                    c.id,
                    c.person_id,
                    people.get(c.person_id or 0, ""),
                    who.get(c.officer_id, ""),
                    c.at,
                    c.code,
                )
                for c in conflicts
            ),
            refusals=tuple(Refusal(n, person, people.get(person or 0, ""), at) for n, person, at in refused),
        )

    def _slow_part(self, session: Session, moment: _Moment) -> SlowPart:
        if self._slow is None or not timedelta(0) <= moment.now - self._slow.counted_at < COUNT_AGAIN_AFTER:
            waiting = queries.waiting(session, self.programme_id, now=moment.now, tomorrow=moment.tomorrow)
            self._slow = SlowPart(counted_at=moment.now, waiting=waiting)
        return self._slow

    def _balance(
        self,
        session: Session,
        moment: _Moment,
        territories: tuple[TerritoryView, ...],
        ready: tuple[Ready, ...],
    ) -> tuple[TerritoryNow, ...]:
        # Asked for only once the day has been weighed: weighing it writes, and a picture only reads.
        weighed = queries.is_weighed(session, self.programme_id, moment.today)
        positions = (
            self._ledger.positions(session, self.programme_id, day=moment.today, now=moment.now)
            if weighed
            else {}
        )
        waiting: Counter[int] = Counter()
        for one in ready:
            waiting[one.territory_id] += one.count
        return tuple(
            TerritoryNow(
                id=territory.id,
                code=territory.code,
                label=territory.label,
                weight=positions[territory.id].weight if territory.id in positions else None,
                is_weight_set=territory.weight is not None,
                served=positions[territory.id].served if territory.id in positions else 0,
                share=round(positions[territory.id].share, 2) if territory.id in positions else 0.0,
                ready=waiting[territory.id],
                is_due=territory.id in positions and positions[territory.id].due,
            )
            for territory in territories
        )


@dataclass(frozen=True)
class _Moment:
    """An instant and the civil day that it belongs to in the programme's zone."""

    now: datetime
    today: date
    midnight: datetime
    tomorrow: datetime

    @classmethod
    def of(cls, now: datetime, programme: Programme) -> _Moment:
        today = now.astimezone(programme.tz).date()
        tomorrow = today + timedelta(days=1)
        return cls(now, today, local_midnight(today, programme.tz), local_midnight(tomorrow, programme.tz))


class _StageCount:
    """People by stage: counted once, then followed by the rows that appear."""

    def __init__(self, programme_id: int) -> None:
        self._programme_id = programme_id
        self._settled: dict[Stage, int] | None = None
        self._until = 0

    def now(self, session: Session) -> dict[Stage, int]:
        # A transaction may commit after one that took a later number: the last rows are read again each time.
        if self._settled is None:
            self._until = queries.last_change(session) - OVERLAP
            self._settled = queries.stages_until(session, self._programme_id, self._until)
        steps = queries.stage_steps(session, self._programme_id, self._until)
        totals = _sum(self._settled, steps)
        if len(steps) > 2 * OVERLAP:
            self._until = steps[-1][0] - OVERLAP
            self._settled = _sum(self._settled, [step for step in steps if step[0] <= self._until])
        return totals


def _sum(counts: Mapping[Stage, int], steps: Iterable[tuple[int, Stage, int]]) -> dict[Stage, int]:
    totals = dict(counts)
    for _, stage, step in steps:
        totals[stage] += step
    return totals


def _officers(
    session: Session,
    held: Mapping[int, Held],
    days: Mapping[int, Day],
    labels: Mapping[int, str],
    now: datetime,
    silent_since: datetime,
) -> tuple[OfficerNow, ...]:
    present = {one.user_id: one for one in accounts.officers_present(session, now)}
    users = accounts.users(session, role=Role.OFFICER, active_only=True)
    return tuple(
        _officer(user, present.get(user.id), held.get(user.id), days.get(user.id), labels, silent_since)
        for user in sorted(users, key=lambda user: (fold(user.display_name), user.id))
    )


def _officer(
    user: UserView,
    seen: OfficerPresence | None,
    held: Held | None,
    day: Day | None,
    labels: Mapping[int, str],
    silent_since: datetime,
) -> OfficerNow:
    state, since = _state(seen, held, day, silent_since)
    return OfficerNow(
        id=user.id,
        name=user.display_name,
        state=state,
        since=since,
        reason=seen.reason if seen is not None and state is OfficerState.PAUSED else None,
        territory=None if held is None else labels.get(held.territory_id),
        calls=0 if day is None else day.calls,
        contacts=0 if day is None else day.contacts,
        holds_lease=held is not None,
    )


def _state(
    seen: OfficerPresence | None, held: Held | None, day: Day | None, silent_since: datetime
) -> tuple[OfficerState, datetime | None]:
    """What somebody is doing: on a card until they give it back, but not for ever on one that they walked away from."""
    if held is not None and seen is None and held.renewed_at <= silent_since:
        return OfficerState.AWAY, held.renewed_at
    if held is not None:
        if not held.has_open_call:
            return OfficerState.READING, held.granted_at
        if held.ended_at is not None:
            return OfficerState.WRAP_UP, held.ended_at
        return OfficerState.ON_CALL, held.started_at
    if seen is None:
        return OfficerState.AWAY, None
    if seen.state is PresenceState.PAUSED:
        return OfficerState.PAUSED, seen.since
    last = day.last_ended_at if day is not None else None
    return OfficerState.FREE, seen.since if last is None else max(seen.since, last)


def _promise_state(
    callback: DueCallback, officers: tuple[OfficerNow, ...], now: datetime, missed_after: timedelta
) -> PromiseState:
    if now >= callback.promised_at + missed_after:
        return PromiseState.MISSED
    if now > callback.promised_at:
        return PromiseState.LATE
    mine = [officer for officer in officers if callback.officer_id in (None, officer.id)]
    somebody_free = any(officer.state is OfficerState.FREE for officer in mine)
    is_near = callback.promised_at - now <= AT_RISK_WITHIN
    return PromiseState.AT_RISK if is_near and not somebody_free else PromiseState.NEXT


def _open_call(held: Held, people: Mapping[int, str], who: Mapping[int, str]) -> OpenCall:
    return OpenCall(
        attempt_id=held.attempt_id or 0,
        person_id=held.person_id,
        person=people.get(held.person_id, ""),
        officer=who.get(held.officer_id, ""),
        started_at=held.started_at or held.granted_at,
    )
