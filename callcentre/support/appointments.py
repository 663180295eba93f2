"""Appointments with a partner: made, then kept, missed or cancelled; a kept one makes them accompanied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment

CAUSE_KEPT = "appointment_kept"
CAUSE_STARTED = "support_started"


@dataclass(frozen=True)
class Counted:
    """What an event added to the funnel; `barred_by`: the earlier answer that keeps it from counting.

    `since`: when they were accompanied already, so that an entry into support added nothing.
    """

    change_ids: tuple[int, ...]
    barred_by: Stage | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Support:
    """An entry into support that stands: who accompanies them, and since when."""

    id: int
    partner: str
    since: datetime


def make(
    session: Session,
    *,
    programme_id: int,
    person_id: int,
    partner: str,
    starts_at: datetime,
    by: int,
    now: datetime,
    attempt_id: int | None = None,
    note: str | None = None,
) -> int:
    """Note an appointment to come and return its id; it is a step inside *contacted* and moves no stage."""
    partner = partner.strip()
    if not 1 <= len(partner) <= 200:
        raise InvalidInput("Indiquez avec qui est le rendez-vous, en 200 signes au plus.", field="partner")
    if starts_at <= now:
        raise InvalidInput("Le rendez-vous doit être à venir.", field="starts_at")
    appointment = Appointment(
        programme_id=programme_id,
        person_id=person_id,
        partner=partner,
        starts_at=starts_at,
        state=AppointmentState.PLANNED,
        made_by=by,
        made_at=now,
        made_in=attempt_id,
        note=note,
    )
    session.add(appointment)
    session.flush()
    return appointment.id


def keep(session: Session, appointment_id: int, *, by: int, now: datetime) -> Counted:
    """Note that the young person came: accompanied from the appointment's hour on."""
    appointment = _planned(session, appointment_id)
    if appointment.starts_at > now:
        raise NotAllowed("Ce rendez-vous n’a pas encore eu lieu.", reason="not_started")
    _settle(session, appointment, AppointmentState.KEPT, now)
    return _accompany(
        session,
        programme_id=appointment.programme_id,
        person_id=appointment.person_id,
        at=appointment.starts_at,
        by=by,
        now=now,
        cause=CAUSE_KEPT,
        details={"appointment_id": appointment.id},
    )


def miss(session: Session, appointment_id: int, *, now: datetime) -> None:
    """Note that the young person did not come."""
    appointment = _planned(session, appointment_id)
    if appointment.starts_at > now:
        raise NotAllowed("Ce rendez-vous n’a pas encore eu lieu.", reason="not_started")
    _settle(session, appointment, AppointmentState.MISSED, now)


def cancel(session: Session, appointment_id: int, *, now: datetime) -> None:
    """Note that the appointment will not take place; also what an undone result does to the one it made."""
    _settle(session, _planned(session, appointment_id), AppointmentState.CANCELLED, now)


def reopen(session: Session, appointment_id: int, *, by: int, now: datetime) -> None:
    """Take back a mistaken *kept*, *missed* or *cancelled*, with the stage that it had brought."""
    appointment = _get(session, appointment_id)
    if appointment.state == AppointmentState.PLANNED:
        return
    brought = _brought_by(session, appointment)
    changes.reverse(session, brought, at=now, by=by, cause="undo")
    appointment.state, appointment.settled_at = AppointmentState.PLANNED, None
    session.flush()


def start_support(
    session: Session,
    *,
    programme_id: int,
    person_id: int,
    partner: str,
    at: datetime,
    by: int,
    now: datetime,
    zone: ZoneInfo,
) -> Counted:
    """Note a confirmed entry into support with a partner: accompanied from `at` on, a day of `zone`.

    Raises `InvalidInput` for a day before the person's list, or before the first contact (then they were
    "already accompanied").
    """
    partner = partner.strip()
    if not 1 <= len(partner) <= 200:
        raise InvalidInput("Indiquez qui accompagne, en 200 signes au plus.", field="partner")
    held = changes.held_changes(session, programme_id=programme_id, person_id=person_id)
    outcome = entering(Stage.ACCOMPANIED, held)
    if outcome and not isinstance(outcome, Refused):
        _refuse_earlier(at, held, zone)
    counted = _accompany(
        session,
        programme_id=programme_id,
        person_id=person_id,
        at=at,
        by=by,
        now=now,
        cause=CAUSE_STARTED,
        details={"partner": partner},
    )
    if counted.change_ids or counted.barred_by:
        return counted
    held = changes.held_changes(session, programme_id=programme_id, person_id=person_id)
    return replace(counted, since=held[Stage.ACCOMPANIED].at)


def support_of(session: Session, programme_id: int, person_id: int) -> Support | None:
    """Return the entry into support by which a person is accompanied; None when it was by an appointment."""
    held = changes.held_changes(session, programme_id=programme_id, person_id=person_id)
    entry = held.get(Stage.ACCOMPANIED)
    if entry is None or entry.cause != CAUSE_STARTED:
        return None
    return Support(entry.id, entry.details["partner"], entry.at)


def withdraw_support(session: Session, entry_id: int, *, by: int, now: datetime) -> None:
    """Take back an entry into support, with the stages that it had brought; a second time does nothing.

    Raises `NotAllowed` while a solution rests on it, and `NotFound` for what is no entry into support.
    """
    entry = session.get(StageChange, entry_id)
    if entry is None or entry.cause != CAUSE_STARTED or entry.reverses_id is not None:
        raise NotFound("Cette entrée en accompagnement n’existe pas.")
    held = changes.held_changes(session, programme_id=entry.programme_id, person_id=entry.person_id)
    if entry not in held.values():
        return
    if Stage.POSITIVE_EXIT in held:
        raise NotAllowed(
            "Une solution repose sur cet accompagnement : retirez d’abord la solution.", reason="solution"
        )
    brought = [change.id for change in held.values() if "partner" in change.details]
    changes.reverse(session, brought, at=now, by=by, cause="undo")


def _refuse_earlier(at: datetime, held: dict[Stage, StageChange], zone: ZoneInfo) -> None:
    """An entry is not moved to another day in silence: one before the list or the first contact is refused."""
    started = at.astimezone(zone).date()
    contacted, listed = held.get(Stage.CONTACTED), held.get(Stage.TO_CONTACT)
    if listed is not None and started < (first := listed.at.astimezone(zone).date()):
        raise InvalidInput(
            "Cette personne est à contacter depuis le %(day)s : écrivez ce jour-là ou un jour qui suit.",
            field="at",
            day=f"{first:%d/%m/%Y}",
        )
    if contacted is not None and started < (first := contacted.at.astimezone(zone).date()):
        raise InvalidInput(
            "Cet accompagnement a commencé avant le premier contact, le %(day)s : notez « déjà accompagné »"
            " comme résultat d’un appel.",
            field="at",
            day=f"{first:%d/%m/%Y}",
        )


def _accompany(
    session: Session,
    *,
    programme_id: int,
    person_id: int,
    at: datetime,
    by: int,
    now: datetime,
    cause: str,
    details: dict[str, int | str],
) -> Counted:
    held = changes.held_changes(session, programme_id=programme_id, person_id=person_id)
    outcome = entering(Stage.ACCOMPANIED, held)
    if isinstance(outcome, Refused):
        return Counted((), barred_by=outcome.because)
    added = changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.ACCOMPANIED,
        at=at,
        now=now,
        cause=cause,
        by=by,
        details=details,
    )
    return Counted(tuple(added))


def _brought_by(session: Session, appointment: Appointment) -> list[int]:
    held = changes.held_changes(
        session, programme_id=appointment.programme_id, person_id=appointment.person_id
    )
    return [change.id for change in held.values() if change.details.get("appointment_id") == appointment.id]


def _settle(session: Session, appointment: Appointment, state: AppointmentState, now: datetime) -> None:
    appointment.state, appointment.settled_at = state, now
    session.flush()


def _planned(session: Session, appointment_id: int) -> Appointment:
    appointment = _get(session, appointment_id)
    if appointment.state != AppointmentState.PLANNED:
        raise NotAllowed("Ce rendez-vous est déjà réglé ; rouvrez-le pour le corriger.", reason="settled")
    return appointment


def _get(session: Session, appointment_id: int) -> Appointment:
    appointment = session.scalar(
        select(Appointment).where(Appointment.id == appointment_id).with_for_update()
    )
    if appointment is None:
        raise NotFound("Ce rendez-vous n’existe pas.")
    return appointment


def planned_for(session: Session, programme_id: int, person_id: int, *, after: datetime) -> list[datetime]:
    """Return when a person's appointments to come begin, the next one first."""
    return list(
        session.scalars(
            select(Appointment.starts_at)
            .where(
                Appointment.programme_id == programme_id,
                Appointment.person_id == person_id,
                Appointment.state == AppointmentState.PLANNED,
                Appointment.starts_at > after,
            )
            .order_by(Appointment.starts_at)
        )
    )
