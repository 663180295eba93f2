"""A young person's page: who they are, all that happened, why not now and when, and what can be put right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from callcentre.accounts.kinds import Role
from callcentre.audit.kinds import Place
from callcentre.callqueue import lease as leases
from callcentre.desk import card, corrections, history, why_not
from callcentre.desk.card import Person
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.outreach import consents
from callcentre.people.kinds import NumberOwner
from callcentre.retry.explaining import Explanation
from callcentre.support import appointments, solutions
from callcentre.support.kinds import AppointmentState, Evidence, SolutionKind
from callcentre.web import card_view, history_words, labels, message_words
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import day, in_zone
from callcentre.web.forms import choice_of, typed_date
from callcentre.web.guards import only
from callcentre.web.i18n import gettext
from callcentre.web.looks import looked
from callcentre.web.transaction import database

blueprint = Blueprint("person", __name__, url_prefix="/people")


@blueprint.get("/<int:person_id>")
def show(person_id: int) -> str:
    """Show a person; that they were looked at is written down."""
    page = _page(person_id)
    looked(Place.PAGE, person_id)
    return page


@blueprint.get("/<int:person_id>/compare/<int:other_id>")
def compare(person_id: int, other_id: int) -> str:
    """Show two people side by side, who may be one."""
    session = database()
    desk = runtime().desk(session)
    pair = [card.person(session, desk, one, now=now()) for one in (person_id, other_id)]
    looked(Place.COMPARISON, person_id, other_id)
    decides = user().role in (Role.SUPERVISOR, Role.ADMINISTRATOR)
    return render_template("person_compare.html", pair=pair, rows=_rows(*pair), decides=decides)


@blueprint.post("/<int:person_id>/numbers")
@only(Role.OFFICER, Role.SUPERVISOR)
def add_number(person_id: int) -> ResponseReturnValue:
    """Add a number that was found."""
    owner = choice_of(NumberOwner, request.form.get("new_number_owner")) or NumberOwner.YOUNG_PERSON

    def verb() -> str:
        session = database()
        corrections.add_number(
            session,
            runtime().desk(session),
            person_id,
            request.form.get("new_number", ""),
            owner,
            by=user().id,
            now=now(),
        )
        return gettext("Numéro ajouté.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/numbers/<int:number_id>/again")
@only(Role.OFFICER, Role.SUPERVISOR)
def try_number_again(person_id: int, number_id: int) -> ResponseReturnValue:
    """Let a number that was judged wrong or dead be called again."""

    def verb() -> str:
        session = database()
        corrections.try_number_again(
            session, runtime().desk(session), person_id, number_id, by=user().id, now=now()
        )
        return gettext("Le numéro est à vérifier de nouveau.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/appointments/<int:appointment_id>")
@only(Role.OFFICER, Role.SUPERVISOR)
def settle_appointment(person_id: int, appointment_id: int) -> ResponseReturnValue:
    """Note what became of an appointment, or take that back."""
    state = choice_of(AppointmentState, request.form.get("state"))

    def verb() -> str:
        session = database()
        known = history.file_of(session, runtime().desk(session).programme_id, person_id).appointments
        if appointment_id not in {appointment.id for appointment in known}:
            raise NotFound("appointment")
        if state is AppointmentState.KEPT:
            counted = appointments.keep(session, appointment_id, by=user().id, now=now())
            if counted.barred_by:
                return gettext(
                    "Rendez-vous honoré ; déjà en solution ou accompagné ailleurs, il ne compte pas."
                )
            return gettext("Rendez-vous honoré : la personne est accompagnée.")
        if state is AppointmentState.MISSED:
            appointments.miss(session, appointment_id, now=now())
            return gettext("Rendez-vous non honoré.")
        if state is AppointmentState.CANCELLED:
            appointments.cancel(session, appointment_id, now=now())
            return gettext("Rendez-vous annulé.")
        appointments.reopen(session, appointment_id, by=user().id, now=now())
        return gettext("Le rendez-vous est de nouveau à venir ou à régler.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/support")
@only(Role.OFFICER, Role.SUPERVISOR)
def start_support(person_id: int) -> ResponseReturnValue:
    """Note an entry into support with a partner."""
    started = _past_day("support_date")

    def verb() -> str:
        session = database()
        desk = runtime().desk(session)
        card.person(session, desk, person_id, now=now())
        if started is None:
            raise InvalidInput("Écrivez une date passée, sous la forme jj/mm/aaaa.", field="support_date")
        try:
            counted = appointments.start_support(
                session,
                programme_id=desk.programme_id,
                person_id=person_id,
                partner=request.form.get("support_partner", ""),
                at=started,
                by=user().id,
                now=now(),
                zone=desk.programme.tz,
            )
        except InvalidInput as problem:
            field = "support_date" if problem.field == "at" else "support_partner"
            raise InvalidInput(problem.message, field=field, **problem.message.values) from problem
        if counted.barred_by:
            return gettext("Déjà en solution ou accompagné ailleurs : cette entrée ne compte pas.")
        if counted.since is not None:
            raise NotAllowed(
                "Déjà accompagné depuis le %(day)s : cette entrée n’a pas été ajoutée.",
                reason="accompanied",
                day=day(counted.since),
            )
        return gettext("Entrée en accompagnement enregistrée.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/support/<int:entry_id>")
@only(Role.OFFICER, Role.SUPERVISOR)
def withdraw_support(person_id: int, entry_id: int) -> ResponseReturnValue:
    """Take back an entry into support that was noted by mistake."""

    def verb() -> str:
        session = database()
        known = history.file_of(session, runtime().desk(session).programme_id, person_id).support
        if known is None or known.id != entry_id:
            raise NotFound("support")
        appointments.withdraw_support(session, entry_id, by=user().id, now=now())
        return gettext("Entrée en accompagnement retirée.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/solutions")
@only(Role.OFFICER, Role.SUPERVISOR)
def add_solution(person_id: int) -> ResponseReturnValue:
    """Record a solution that started, with its evidence."""
    kind = choice_of(SolutionKind, request.form.get("solution_kind"))
    evidence = choice_of(Evidence, request.form.get("evidence")) or Evidence.DECLARED
    started = typed_date(request.form.get("solution_date"))
    note = request.form.get("solution_note", "").strip()[:2000] or None

    def verb() -> str:
        session = database()
        desk = runtime().desk(session)
        card.person(session, desk, person_id, now=now())
        if kind is None:
            raise InvalidInput("Indiquez quelle solution.", field="solution_kind")
        if started is None:
            raise InvalidInput("Écrivez la date sous la forme jj/mm/aaaa.", field="solution_date")
        recorded = solutions.record(
            session,
            programme_id=desk.programme_id,
            person_id=person_id,
            kind=kind,
            started_on=started,
            evidence=evidence,
            by=user().id,
            now=now(),
            zone=desk.programme.tz,
            note=note,
        )
        if recorded.barred_by:
            return gettext("Solution notée ; déjà en solution ou accompagné ailleurs, elle ne compte pas.")
        return gettext("Solution enregistrée : sortie positive.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/solutions/<int:solution_id>")
@only(Role.OFFICER, Role.SUPERVISOR)
def change_solution(person_id: int, solution_id: int) -> ResponseReturnValue:
    """Strengthen the evidence of a solution, or withdraw it."""
    evidence = choice_of(Evidence, request.form.get("evidence"))

    def verb() -> str:
        session = database()
        known = history.file_of(session, runtime().desk(session).programme_id, person_id).solutions
        if solution_id not in {solution.id for solution in known}:
            raise NotFound("solution")
        if evidence is None:
            solutions.withdraw(session, solution_id, by=user().id, now=now())
            return gettext("Solution retirée.")
        solutions.strengthen(session, solution_id, evidence)
        return gettext("Preuve enregistrée.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/opposition")
@only(Role.OFFICER, Role.SUPERVISOR)
def oppose(person_id: int) -> ResponseReturnValue:
    """Record that the person wants no contact any more; it takes effect at once."""

    def verb() -> str:
        if request.form.get("sure") != "yes":
            raise InvalidInput("Cochez la case pour confirmer.", field="sure")
        session = database()
        corrections.oppose(
            session, runtime().desk(session), person_id, source="office", by=user().id, now=now()
        )
        return gettext("Opposition enregistrée : cette personne ne sera plus appelée.")

    return _act(person_id, verb)


@blueprint.post("/<int:person_id>/opt-outs/<int:opt_out_id>/revoke")
@only(Role.SUPERVISOR)
def revoke_opt_out(person_id: int, opt_out_id: int) -> ResponseReturnValue:
    """Take back an opt-out recorded by mistake, for a reason."""

    def verb() -> str:
        session = database()
        corrections.revoke_opt_out(
            session,
            runtime().desk(session),
            person_id,
            opt_out_id,
            reason=request.form.get("reason", ""),
            by=user().id,
            now=now(),
        )
        return gettext("STOP levé ; la raison est gardée.")

    return _act(person_id, verb)


def _act(person_id: int, verb: Callable[[], str]) -> ResponseReturnValue:
    """Do what a form asks, all or nothing; a refusal shows the page again with what was typed."""
    try:
        with database().begin_nested():
            message = verb()
    except (InvalidInput, NotAllowed) as problem:
        field = getattr(problem, "field", None) or ""
        return _page(person_id, errors={field: gettext(problem.message)}, typed=request.form), problem.status
    flash(message)
    return redirect(f"/people/{person_id}")


def _explained(desk: Desk, person: Person) -> Explanation | None:
    """The hours compared for the next call, where the rule chose it."""
    return None if person.why_then is None else card.explained(database(), desk, person.id, now=now())


def _page(person_id: int, *, errors: dict[str, str] | None = None, typed: Any = None) -> str:
    session = database()
    desk = runtime().desk(session)
    person = card.person(session, desk, person_id, now=now())
    file = history.file_of(session, desk.programme_id, person_id)
    return render_template(
        "person.html",
        person=person,
        file=file,
        lines=history_words.lines_of(file.events, desk.programme),
        why_not_now=card_view.in_words(person.why_not_now),
        is_held=person.why_not_now.code in why_not.HELD,
        why_then=None if person.why_then is None else card_view.in_words(person.why_then),
        hours=card_view.hours_compared(_explained(desk, person)),
        refusals={n.id: card_view.in_words(n.refused) for n in person.numbers if n.refused is not None},
        owners={number.id: card_view.owner_of(number) for number in person.numbers},
        owner_labels=card_view.OWNER_LABELS,
        verdicts=card_view.VERDICTS,
        whatsapp=message_words.agreements(
            consents.of_numbers(database(), [number.id for number in person.numbers])
        ),
        can_whatsapp=runtime().provider.can_whatsapp,
        closed_label=labels.reason_label(person.closed_reason),
        appointment_labels=history_words.APPOINTMENT_LABELS,
        evidence_labels=history_words.EVIDENCE_LABELS,
        solution_labels=card_view.SOLUTION_LABELS,
        source_of=history_words.source_of,
        may_act=user().role in (Role.OFFICER, Role.SUPERVISOR),
        may_call=user().role is Role.OFFICER,
        may_decide=user().role is Role.SUPERVISOR,
        may_audit=user().role is Role.ADMINISTRATOR,
        held=leases.of_officer(session, user().id) if user().role is Role.OFFICER else None,
        renew_seconds=desk.settings.lease_renew_seconds,
        decides=user().role in (Role.SUPERVISOR, Role.ADMINISTRATOR),
        errors=errors or {},
        typed=typed or {},
    )


def _past_day(field: str) -> datetime | None:
    """The instant of a typed day that is not to come: noon of that day, now when it is today."""
    typed = typed_date(request.form.get(field))
    today = in_zone(now()).date()
    if typed is None or typed > today:
        return None
    if typed == today:
        return now()
    return datetime.combine(typed, time(12), runtime().programme.tz).astimezone(UTC)


def _rows(one: Person, other: Person) -> list[tuple[str, str, str]]:
    """What two records say, field by field."""

    def fields(person: Person) -> list[tuple[str, str]]:
        return [
            (gettext("Prénom"), person.first_name),
            (gettext("Nom"), person.family_name),
            (gettext("Naissance"), day(person.birth_date)),
            ("INE", ", ".join(person.ine)),
            (
                gettext("Adresse"),
                " ".join(filter(None, (person.address, person.postal_code, person.commune))),
            ),
            (gettext("Numéros"), ", ".join(sorted(number.e164 for number in person.numbers))),
            (gettext("Responsables"), ", ".join(person.guardians)),
            (gettext("Établissement"), person.school.name if person.school else ""),
            (gettext("Classe"), person.class_label or ""),
            (gettext("Sortie"), day(person.exit_date) if person.exit_date else ""),
            (gettext("Plateforme"), person.territory),
            (gettext("Appels"), str(len(person.attempts))),
        ]

    return [
        (label, mine, theirs) for (label, mine), (_, theirs) in zip(fields(one), fields(other), strict=True)
    ]
