"""Two records of one young person made one on the desk, and taken apart again: queue, funnel and people together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.callqueue.models import EntryState, Lane, NumberLock, QueueEntry, Turn
from callcentre.desk.kinds import FOR_WANT
from callcentre.desk.wrap_up import close_everywhere
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel import merging as stages
from callcentre.people import merges
from callcentre.people.kinds import PairState
from callcentre.people.models import Merge, Opposition
from callcentre.planning.counting import count_part
from callcentre.planning.eligibility import reconsider
from callcentre.planning.models import RouteStep, StepState
from callcentre.planning.routes import LIVE_STEPS
from callcentre.programmes import Programme

_APART = ("queue_entries", "turns", "stage_changes", "number_locks", "call_histories", "second_calls")
_PLACE = (
    "state",
    "opened_at",
    "deadline",
    "paused_until",
    "closed_at",
    "closed_reason",
    "reopened_by",
    "priority",
)

Row = dict[str, Any]


def merge(
    session: Session,
    programmes: dict[str, Programme],
    *,
    kept_id: int,
    gone_id: int,
    by: int | None,
    now: datetime,
) -> Merge:
    """Make two records one: history, numbers, stages and places go to the kept one; nothing is lost.

    Raises NotAllowed while a colleague holds either card.
    """
    _nobody_calls(session, kept_id, gone_id)
    turns = _clear_turns(session, kept_id, gone_id)
    journal: Row = {"stages": stages.take_over(session, kept_id=kept_id, gone_id=gone_id, now=now, by=by)}
    row = merges.merge(session, kept_id=kept_id, gone_id=gone_id, by=by, now=now, apart=_APART)
    journal["places"] = _take_places(session, kept_id, gone_id)
    journal["turns"] = _take_turns(session, turns, kept_id)
    row.journal = {**row.journal, **journal}
    session.flush()
    _settle(session, programmes, [kept_id], now=now, counted=(kept_id, gone_id))
    trail.record(
        session,
        "people_merged",
        "person",
        kept_id,
        by=by,
        now=now,
        details={"gone": gone_id, "merge": row.id},
    )
    return row


def unmerge(
    session: Session, programmes: dict[str, Programme], merge_id: int, *, by: int | None, now: datetime
) -> Merge:
    """Take a merge back: each record has its history again; an opposition holds wherever it may have been said."""
    row = session.get(Merge, merge_id)
    if row is None:
        raise NotFound("Cette fusion n’existe pas.")
    _nobody_calls(session, row.kept_id, row.gone_id)
    _clear_ordinary(session, row.kept_id)
    row = merges.unmerge(session, merge_id, by=by, now=now)
    _give_places(session, row)
    _give_turns(session, row)
    journal = row.journal["stages"]
    stages.give_back(session, journal, kept_id=row.kept_id, gone_id=row.gone_id, now=now, by=by)
    both = [row.kept_id, row.gone_id]
    _settle(session, programmes, both, now=now, counted=both)
    trail.record(
        session, "people_unmerged", "person", row.kept_id, by=by, now=now, details={"gone": row.gone_id}
    )
    return row


def keep_apart(session: Session, one_id: int, other_id: int, *, by: int | None, now: datetime) -> None:
    """Say that two records are two people: they are not proposed again."""
    merges.settle_pair(session, one_id, other_id, PairState.DISTINCT, by=by, now=now)
    trail.record(session, "people_kept_apart", "person", one_id, by=by, now=now, details={"other": other_id})


def _nobody_calls(session: Session, *people: int) -> None:
    held = select(Turn.id).where(Turn.person_id.in_(people), Turn.token.is_not(None))
    if session.scalar(held.limit(1)) is not None:
        raise NotAllowed(
            "Un collègue est sur une de ces fiches : rien n’a été changé, réessayez après son appel.",
            reason="leased",
        )


def _settle(
    session: Session,
    programmes: dict[str, Programme],
    people: list[int],
    *,
    now: datetime,
    counted: Sequence[int],
) -> None:
    """Close for good whoever objected; count the calls of both anew, and ask the retry rule about the rest."""
    objecting = session.scalars(
        select(Opposition.person_id).where(Opposition.person_id.in_(people), Opposition.revoked_at.is_(None))
    ).all()
    for person_id in sorted(set(objecting)):
        close_everywhere(session, person_id, now=now)
    rows = session.execute(
        select(QueueEntry.programme_id, ProgrammeRow.code)
        .join(ProgrammeRow, ProgrammeRow.id == QueueEntry.programme_id)
        .where(QueueEntry.person_id.in_(people))
        .distinct()
    ).all()
    for programme_id, code in rows:
        if code in programmes:
            count_part(session, programmes[code], programme_id, counted)
            reconsider(session, programmes[code], programme_id, people, now=now)


# ---- places in the queue


def _take_places(session: Session, kept_id: int, gone_id: int) -> Row:
    """A programme that knows both keeps one place; one that knows only the other record gives its place over."""
    found = session.scalars(
        select(QueueEntry).where(QueueEntry.person_id.in_((kept_id, gone_id))).with_for_update()
    ).all()
    mine = {entry.programme_id: entry for entry in found if entry.person_id == kept_id}
    journal: Row = {"moved": [], "joined": []}
    for entry in [entry for entry in found if entry.person_id == gone_id]:
        own = mine.get(entry.programme_id)
        if own is None:
            entry.person_id = kept_id
            journal["moved"].append(entry.id)
            session.flush()
            continue
        dropped, whole = merges.row_of(entry), merges.row_of(own)
        before = {name: whole[name] for name in _PLACE}
        theirs = _join_places(own, entry)
        session.flush()
        steps = _join_rounds(session, own.id, entry.id, theirs_go_on=theirs)
        moved = merges.repoint(session, to="queue_entries", old=entry.id, new=own.id)
        journal["joined"].append(
            {
                "entry": own.id,
                "version": own.version,
                "before": before,
                "dropped": dropped,
                "moved": [[one.table, one.column, list(one.ids)] for one in moved],
                "steps": steps,
            }
        )
        session.delete(entry)
        session.flush()
    return journal


def _join_places(own: QueueEntry, other: QueueEntry) -> bool:
    """The stricter of two places: the longer count, the longer pause, the nearer deadline; an end for want is none.

    Return whether the one place has ended as the other record's had; of two ends for want one holds, with its round.
    """
    own.deadline = min(filter(None, (own.deadline, other.deadline)), default=None)
    own.paused_until = max(filter(None, (own.paused_until, other.paused_until)), default=None)
    own.priority = min(own.priority, other.priority)
    is_open, other_open = own.state == EntryState.OPEN, other.state == EntryState.OPEN
    ended = own if not is_open and own.closed_reason not in FOR_WANT else None
    if not other_open and other.closed_reason not in FOR_WANT:
        ended = ended or other
    opened_at = min(own.opened_at, other.opened_at)
    if ended is None and not is_open and not other_open:
        ended = min(own, other, key=lambda one: FOR_WANT.index(one.closed_reason or ""))
        opened_at = ended.opened_at
    own.opened_at = opened_at
    if ended is not None:
        own.state, own.closed_at, own.closed_reason = ended.state, ended.closed_at, ended.closed_reason
        own.reopened_by = ended.reopened_by
        own.eligible_at = own.eligible_until = own.preferred_at = own.preferred_until = None
    elif not is_open and other_open:
        own.state, own.closed_at, own.closed_reason, own.reopened_by = EntryState.OPEN, None, None, None
    return ended is other


def _give_places(session: Session, row: Merge) -> None:
    table = QueueEntry.__table__
    journal = row.journal["places"]
    for entry_id in journal["moved"]:
        merges.point(session, "queue_entries", "person_id", [entry_id], row.gone_id)
    for one in journal["joined"]:
        session.execute(insert(table), [merges.from_json(table, one["dropped"])])  # type: ignore[arg-type]
        for name, column, ids in one["moved"]:
            merges.point(session, name, column, ids, one["dropped"]["id"])
        _give_steps(session, one.get("steps", ()))
        own = session.get(QueueEntry, one["entry"], populate_existing=True)
        if own is not None and own.version == one["version"]:
            for name, value in merges.from_json(table, one["before"]).items():
                setattr(own, name, value)
            if own.state == EntryState.CLOSED:
                own.eligible_at = own.eligible_until = own.preferred_at = own.preferred_until = None
    session.flush()
    session.expire_all()


def _join_rounds(session: Session, own_id: int, other_id: int, *, theirs_go_on: bool) -> list[Row]:
    """Make one round of two that began at one instant: theirs come behind one's own, and only one record's go on."""
    own = select(RouteStep.opened_at).where(RouteStep.entry_id == own_id)
    last = (
        select(RouteStep.opened_at, func.max(RouteStep.position))
        .where(RouteStep.entry_id.in_((own_id, other_id)), RouteStep.opened_at.in_(own))
        .group_by(RouteStep.opened_at)
    )
    after = {opened_at: position + 1 for opened_at, position in session.execute(last)}
    journal: list[Row] = []
    both = select(RouteStep).where(RouteStep.entry_id.in_((own_id, other_id)), RouteStep.opened_at.in_(after))
    for step in session.scalars(both.order_by(RouteStep.position.desc())).all():
        is_theirs = step.entry_id == other_id
        journal.append({"id": step.id, "position": step.position, "state": step.state})
        if is_theirs:
            step.position += after[step.opened_at]
        if is_theirs is not theirs_go_on and step.state in LIVE_STEPS:
            step.state = StepState.CANCELLED
    session.flush()
    return journal


def _give_steps(session: Session, journal: Iterable[Row]) -> None:
    """Put steps back in their places; one that was done since the records were joined stays done."""
    for one in journal:
        step = session.get(RouteStep, one["id"], populate_existing=True)
        if step is not None:
            step.position = one["position"]
            if step.state == StepState.CANCELLED:
                step.state = one["state"]
    session.flush()


# ---- turns that wait: a promise made to either record is kept


def _clear_ordinary(session: Session, person_id: int) -> None:
    session.execute(
        delete(Turn).where(Turn.person_id == person_id, Turn.token.is_(None), Turn.lane == int(Lane.ORDINARY))
    )


def _clear_turns(session: Session, kept_id: int, gone_id: int) -> int | None:
    """Remove ordinary turns; return the other record's promised turn, which goes with it."""
    for person_id in (kept_id, gone_id):
        _clear_ordinary(session, person_id)
    promised = session.scalar(select(Turn.id).where(Turn.person_id == gone_id))
    own = session.scalar(select(Turn.id).where(Turn.person_id == kept_id))
    if promised is not None and own is not None:
        session.execute(delete(NumberLock).where(NumberLock.turn_id == promised))
        session.execute(delete(Turn).where(Turn.id == promised))
        return None
    return promised


def _take_turns(session: Session, turn_id: int | None, kept_id: int) -> list[int]:
    """Give the other record's promised turn to the kept one, in the place where it now stands."""
    turn = None if turn_id is None else session.get(Turn, turn_id, populate_existing=True)
    if turn is None:
        return []
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.person_id == kept_id, QueueEntry.programme_id == turn.programme_id
        )
    )
    if entry is not None:
        turn.person_id, turn.entry_id, turn.territory_id = kept_id, entry.id, entry.territory_id
        session.flush()
    return [turn.id]


def _give_turns(session: Session, row: Merge) -> None:
    for turn_id in row.journal["turns"]:
        turn = session.get(Turn, turn_id, populate_existing=True)
        if turn is None:
            continue
        entry = session.scalar(
            select(QueueEntry).where(
                QueueEntry.person_id == row.gone_id, QueueEntry.programme_id == turn.programme_id
            )
        )
        if entry is not None:
            turn.person_id, turn.entry_id, turn.territory_id = row.gone_id, entry.id, entry.territory_id
    session.flush()
