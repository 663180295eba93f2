"""What a picture of now is read from: small reads on indexes; the counts over everybody are kept apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue.kinds import EntryState, Lane
from callcentre.callqueue.models import QueueEntry, TerritoryDay, Turn
from callcentre.desk.models import Decision, OutcomeConflict
from callcentre.funnel.models import StageChange
from callcentre.funnel.queries import step
from callcentre.funnel.stages import Stage
from callcentre.intake.models import ListFile
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.models import OptOut, YoungPerson
from callcentre.retry.reasons import ReasonCode
from callcentre.supervision.picture import Bucket, ImportNow, Ready, Result, Waiting

AT_MOST = 50
"""Lines of a list on the live page; what is beyond is counted, not listed."""


@dataclass(frozen=True)
class Held:
    """A lease with the call that may be open on it."""

    officer_id: int
    person_id: int
    programme_id: int
    territory_id: int
    granted_at: datetime
    renewed_at: datetime
    attempt_id: int | None
    started_at: datetime | None
    ended_at: datetime | None
    disposition: str | None

    @property
    def has_open_call(self) -> bool:
        """Whether a call was started and has no result yet."""
        return self.attempt_id is not None and self.disposition is None


@dataclass(frozen=True)
class Day:
    """An officer's calls of the day."""

    calls: int
    contacts: int
    last_ended_at: datetime | None


@dataclass(frozen=True)
class DueCallback:
    """A promise that is not settled."""

    id: int
    person_id: int
    promised_at: datetime
    officer_id: int | None


@dataclass(frozen=True)
class KeptConflict:
    """A result kept because its lease had been superseded."""

    id: int
    person_id: int | None
    officer_id: int
    at: datetime
    code: str | None


def leases(session: Session) -> tuple[Held, ...]:
    """Every lease of every programme: at most one for each officer."""
    rows = session.execute(
        select(Turn, Attempt)
        .outerjoin(Attempt, Attempt.id == Turn.attempt_id)
        .where(Turn.token.is_not(None))
        .order_by(Turn.officer_id)
    )
    return tuple(_held(turn, attempt) for turn, attempt in rows)


def _held(turn: Turn, attempt: Attempt | None) -> Held:
    assert turn.officer_id is not None
    assert turn.granted_at is not None
    return Held(
        officer_id=turn.officer_id,
        person_id=turn.person_id,
        programme_id=turn.programme_id,
        territory_id=turn.territory_id,
        granted_at=turn.granted_at,
        renewed_at=turn.renewed_at or turn.granted_at,
        attempt_id=turn.attempt_id,
        started_at=None if attempt is None else attempt.started_at,
        ended_at=None if attempt is None else attempt.ended_at,
        disposition=None if attempt is None or attempt.corrected_at is not None else attempt.disposition,
    )


def ready(session: Session, programme_id: int, now: datetime) -> tuple[Ready, ...]:
    """People who can be claimed now, by territory and lane."""
    rows = session.execute(
        select(Turn.territory_id, Turn.lane, func.count(), func.min(Turn.due_at))
        .where(
            Turn.programme_id == programme_id,
            Turn.token.is_(None),
            Turn.due_at <= now,
            Turn.due_until > now,
        )
        .group_by(Turn.territory_id, Turn.lane)
        .order_by(Turn.territory_id, Turn.lane)
    )
    return tuple(Ready(territory, Lane(lane), count, oldest) for territory, lane, count, oldest in rows)


def days_of_officers(
    session: Session, programme_id: int, since: datetime, contact_codes: Collection[str]
) -> dict[int, Day]:
    """Calls and contacts of each officer since an instant, and when their last call ended."""
    is_contact = Attempt.disposition.in_(contact_codes) & Attempt.corrected_at.is_(None)
    rows = session.execute(
        select(
            Attempt.officer_id,
            func.count(),
            func.sum(case((is_contact, 1), else_=0)),
            func.max(Attempt.ended_at),
        )
        .where(Attempt.programme_id == programme_id, Attempt.started_at >= since)
        .group_by(Attempt.officer_id)
    )
    return {officer: Day(calls, contacts or 0, ended) for officer, calls, contacts, ended in rows}


def last_results(session: Session, programme_id: int, since: datetime, count: int) -> tuple[Result, ...]:
    """The last calls with a result since an instant, newest first; `territory` holds the territory's id."""
    rows = session.execute(
        select(Attempt.id, Attempt.ended_at, QueueEntry.territory_id, Attempt.disposition)
        .join(QueueEntry, QueueEntry.id == Attempt.entry_id)
        .where(
            Attempt.programme_id == programme_id,
            Attempt.started_at >= since,
            Attempt.disposition.is_not(None),
            Attempt.corrected_at.is_(None),
        )
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(count)
    )
    return tuple(
        Result(number, at, str(territory), code)
        for number, at, territory, code in rows
        if at is not None and code is not None
    )


def callbacks(session: Session, programme_id: int, until: datetime) -> tuple[DueCallback, ...]:
    """Promises that are not settled and fall before an instant, the earliest first."""
    rows = session.execute(
        select(Callback.id, Callback.person_id, Callback.promised_at, Callback.officer_id)
        .where(
            Callback.programme_id == programme_id,
            Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
            Callback.settled_at.is_(None),
            Callback.promised_at < until,
        )
        .order_by(Callback.promised_at, Callback.id)
    )
    return tuple(DueCallback(*row) for row in rows)


def conflicts(session: Session) -> tuple[KeptConflict, ...]:
    """Results kept as conflicts and not settled, the oldest first."""
    rows = session.execute(
        select(
            OutcomeConflict.id,
            OutcomeConflict.person_id,
            OutcomeConflict.officer_id,
            OutcomeConflict.at,
            OutcomeConflict.outcome,
        )
        .where(OutcomeConflict.settled_at.is_(None))
        .order_by(OutcomeConflict.at, OutcomeConflict.id)
        .limit(AT_MOST)
    )
    return tuple(
        KeptConflict(number, person, officer, at, outcome.get("disposition"))
        for number, person, officer, at, outcome in rows
    )


def is_weighed(session: Session, programme_id: int, day: date) -> bool:
    """Whether the territories have been weighed for a day."""
    statement = select(TerritoryDay.territory_id).where(
        TerritoryDay.programme_id == programme_id, TerritoryDay.day == day
    )
    return session.scalar(statement.limit(1)) is not None


def imports(session: Session, programme_id: int) -> tuple[ImportNow, ...]:
    """Lists that are being imported."""
    rows = session.execute(
        select(ListFile.id, ListFile.name, ListFile.rows_done, ListFile.rows_total)
        .where(ListFile.programme_id == programme_id, ListFile.state == "importing")
        .order_by(ListFile.id)
    )
    return tuple(ImportNow(*row) for row in rows)


def last_change(session: Session) -> int:
    """The number of the last stage change of all programmes."""
    return session.scalar(select(func.max(StageChange.id))) or 0


def stages_until(session: Session, programme_id: int, until: int) -> dict[Stage, int]:
    """People in each stage by the changes up to a number: entries less those taken back."""
    rows = session.execute(
        select(StageChange.stage, step())
        .where(StageChange.programme_id == programme_id, StageChange.id <= until)
        .group_by(StageChange.stage)
    )
    return dict.fromkeys(Stage, 0) | {Stage(stage): int(count) for stage, count in rows}


def stage_steps(session: Session, programme_id: int, after: int) -> list[tuple[int, Stage, int]]:
    """Stage changes recorded after a row: its id, the stage, +1 for an entry or -1 for one taken back."""
    rows = session.execute(
        select(StageChange.id, StageChange.stage, StageChange.reverses_id)
        .where(StageChange.id > after, StageChange.programme_id == programme_id)
        .order_by(StageChange.id)
    )
    return [(number, Stage(stage), 1 if reverses is None else -1) for number, stage, reverses in rows]


def names(session: Session, person_ids: Collection[int]) -> dict[int, str]:
    """First name and initial of people, as much as a supervisor needs to speak of them."""
    found: dict[int, str] = {}
    for part in in_parts(person_ids):
        rows = session.execute(
            select(YoungPerson.id, YoungPerson.first_name, YoungPerson.family_name).where(
                YoungPerson.id.in_(part)
            )
        )
        found.update((number, f"{first} {family[:1]}.") for number, first, family in rows)
    return found


def bucket_of(now: datetime, tomorrow: datetime) -> ColumnElement[str]:
    """The SQL of a queue entry's bucket at `now`: who holds them, promises, pauses, the hour that is planned."""
    return case(
        (_is_held(), Bucket.HELD.value),
        (QueueEntry.state == EntryState.CLOSED, Bucket.CLOSED.value),
        (_promised_before(now), Bucket.NOW.value),
        (_promised_before(tomorrow), Bucket.TODAY.value),
        (_promised_before(None), Bucket.LATER.value),
        (QueueEntry.paused_until > now, Bucket.PAUSED.value),
        (QueueEntry.eligible_at.is_(None), Bucket.NOTHING.value),
        (QueueEntry.eligible_until <= now, Bucket.RESERVE.value),
        (QueueEntry.eligible_at <= now, Bucket.NOW.value),
        (QueueEntry.eligible_at < tomorrow, Bucket.TODAY.value),
        else_=Bucket.LATER.value,
    )


def reason_of(now: datetime) -> ColumnElement[str | None]:
    """The SQL of why: who holds them, the exit, the promise, else the plan, as far as it still stands at `now`."""
    return case(
        (_is_held(), ReasonCode.LEASED.value),
        (QueueEntry.state == EntryState.CLOSED, QueueEntry.closed_reason),
        (_promised_before(None), ReasonCode.PROMISED.value),
        (QueueEntry.paused_until > now, ReasonCode.PAUSED.value),
        (QueueEntry.eligible_until <= now, Bucket.RESERVE.value),
        ((QueueEntry.eligible_at <= now) & (QueueEntry.preferred_at <= now), ReasonCode.READY.value),
        else_=QueueEntry.reason["code"].as_string(),
    )


def _is_held() -> ColumnElement[bool]:
    return QueueEntry.id.in_(select(Turn.entry_id).where(Turn.token.is_not(None)))


def _promised_before(instant: datetime | None) -> ColumnElement[bool]:
    """Somebody to whom a call is promised, before an instant if one is given."""
    standing = select(Callback.entry_id).where(
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)), Callback.settled_at.is_(None)
    )
    return QueueEntry.id.in_(standing if instant is None else standing.where(Callback.promised_at < instant))


def waiting(session: Session, programme_id: int, *, now: datetime, tomorrow: datetime) -> tuple[Waiting, ...]:
    """Everybody of a programme by bucket and reason; reads every entry, so it is not for every second."""
    sorted_entries = (
        select(bucket_of(now, tomorrow).label("bucket"), reason_of(now).label("reason"))
        .where(QueueEntry.programme_id == programme_id)
        .subquery()
    )
    rows = session.execute(
        select(sorted_entries.c.bucket, sorted_entries.c.reason, func.count()).group_by(
            sorted_entries.c.bucket, sorted_entries.c.reason
        )
    )
    order = list(Bucket)
    counted = [Waiting(Bucket(bucket), reason, count) for bucket, reason, count in rows]
    return tuple(sorted(counted, key=lambda one: (order.index(one.bucket), -one.count, one.reason or "")))


def guardian_refusals(session: Session) -> tuple[tuple[int, int | None, datetime], ...]:
    """Opt-outs that a guardian asked for and nobody has decided about: id, young person, when; the oldest first."""
    rows = session.execute(
        select(OptOut.id, OptOut.person_id, OptOut.at)
        .outerjoin(Decision, Decision.opt_out_id == OptOut.id)
        .where(OptOut.source == "guardian", OptOut.revoked_at.is_(None), Decision.id.is_(None))
        .order_by(OptOut.at, OptOut.id)
        .limit(AT_MOST)
    )
    return tuple((number, person, at) for number, person, at in rows)
