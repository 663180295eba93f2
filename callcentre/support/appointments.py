"""Appointments with a partner: made, then kept, missed or cancelled; a kept one makes them accompanied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment

CAUSE_KEPT = "appointment_kept"
CAUSE_STARTED = "support_started"


@dataclass(frozen=True)
class Counted:
    """What an event added to the funnel; `barred_by`: the earlier answer that keeps it from counting."""

    change_ids: tuple[int, ...]
    barred_by: Stage | None = None


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
    session: Session, *, programme_id: int, person_id: int, partner: str, at: datetime, by: int, now: datetime
) -> Counted:
    """Note a confirmed entry into support with a partner: accompanied from `at` on."""
    partner = partner.strip()
    if not 1 <= len(partner) <= 200:
        raise InvalidInput("Indiquez qui accompagne, en 200 signes au plus.", field="partner")
    return _accompany(
        session,
        programme_id=programme_id,
        person_id=person_id,
        at=at,
        by=by,
        now=now,
        cause=CAUSE_STARTED,
        details={"partner": partner},
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
