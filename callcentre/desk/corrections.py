"""What is put right on a person's own page: a number found, an opposition said, a stop taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.callqueue import entries
from callcentre.callqueue.models import QueueEntry
from callcentre.desk import decisions
from callcentre.desk.context import Desk
from callcentre.desk.kinds import DecisionKind
from callcentre.desk.wrap_up import close_everywhere
from callcentre.errors import InvalidInput, NotFound
from callcentre.people import numbers, opt_outs
from callcentre.people.kinds import NumberOwner
from callcentre.planning.eligibility import reconsider


def add_number(
    session: Session, desk: Desk, person_id: int, text: str, owner: NumberOwner, *, by: int, now: datetime
) -> int:
    """Add a number that was found; it re-opens whoever left the queue for want of one. Returns the number's id.

    Raises InvalidInput for a number that is on the person's page already.
    """
    if not text.strip():
        raise InvalidInput("Indiquez le nouveau numéro.", field="new_number")
    _entry(session, desk, person_id)
    given = numbers.add(
        session, person_id=person_id, text=text, owner=owner, region=desk.programme.region, now=now
    )
    if not given.is_new:
        raise InvalidInput("Ce numéro est déjà sur la fiche.", field="new_number")
    _call_on(session, desk, person_id, given.number_id, action="number_added", by=by, now=now)
    return given.number_id


def try_number_again(
    session: Session, desk: Desk, person_id: int, number_id: int, *, by: int, now: datetime
) -> None:
    """Let a number that was judged wrong or dead be called again, like one that was found. Said twice it counts once.

    Raises NotFound for a number that is not theirs.
    """
    _entry(session, desk, person_id)
    if numbers.try_again(session, person_id=person_id, number_id=number_id, now=now):
        _call_on(session, desk, person_id, number_id, action="number_to_check", by=by, now=now)


def _call_on(
    session: Session, desk: Desk, person_id: int, number_id: int, *, action: str, by: int, now: datetime
) -> None:
    """Bring back whoever waited for a number, and ask the retry rule anew about everybody whom it reaches."""
    trail.record(session, action, "person", person_id, by=by, now=now, details={"number_id": number_id})
    entries.reopen_for(session, person_id, "new_number", now=now)
    affected = {person_id, *opt_outs.people_reached_by(session, number_id)}
    reconsider(session, desk.programme, desk.programme_id, affected, now=now)


def oppose(session: Session, desk: Desk, person_id: int, *, source: str, by: int, now: datetime) -> None:
    """Record that a young person wants no contact any more, outside a call: every number, every programme."""
    _entry(session, desk, person_id)
    opt_outs.oppose(session, person_id=person_id, source=source, now=now, by=by)
    close_everywhere(session, person_id, now=now)
    trail.record(session, "opposition_recorded", "person", person_id, by=by, now=now)


def revoke_opt_out(
    session: Session, desk: Desk, person_id: int, opt_out_id: int, *, reason: str, by: int, now: datetime
) -> None:
    """Take back an opt-out recorded by mistake; whoever had left the queue for it comes back."""
    said = decisions.reason_of(reason)
    reached = lift_opt_out(session, desk, opt_out_id, reason=said, by=by, now=now)
    if person_id not in reached:
        raise NotFound("opt_out")
    decisions.record(
        session,
        DecisionKind.OPT_OUT_LIFTED,
        programme_id=desk.programme_id,
        person_id=person_id,
        by=by,
        now=now,
        reason=said,
    )


def lift_opt_out(
    session: Session, desk: Desk, opt_out_id: int, *, reason: str, by: int, now: datetime
) -> set[int]:
    """Take back an opt-out and plan those whom the number reaches anew; return who they are."""
    reached = opt_outs.revoke_opt_out(session, opt_out_id, by=by, reason=reason, now=now)
    for reached_id in sorted(reached):
        for why in ("opted_out", "details_to_find"):
            for entry in entries.closed_by(session, reached_id, why):
                entries.reopen(session, entry, now=now)
    reconsider(session, desk.programme, desk.programme_id, reached, now=now)
    return reached


def _entry(session: Session, desk: Desk, person_id: int) -> QueueEntry:
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id == person_id
        )
    )
    if entry is None:
        raise NotFound("person")
    return entry
