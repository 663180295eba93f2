"""Somebody typed by hand: a walk-in, or a school head's signal, under the same rules as a row of a list.

The day of the signal is the day on which ages are judged, and the one that starts a minor's clock. Whoever types can
correct at once, so what a list only remarks on (a number, a school's code) is refused here, field by field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.errors import NotFound
from callcentre.intake.candidates import read_row, scope_of
from callcentre.intake.checking import ground_of, zone_name
from callcentre.intake.deciding import Decider, load_known
from callcentre.intake.duplicates import compare_person
from callcentre.intake.entering import Entrant, enter
from callcentre.intake.fields import Field
from callcentre.intake.importing import lock_imports, programme_row
from callcentre.intake.mapping import Column, SheetMapping
from callcentre.intake.matching import Known
from callcentre.intake.reasons import Effect, Reason, ReasonCode
from callcentre.people.candidates import Candidate
from callcentre.people.merges import kept_of
from callcentre.people.register import Change, register
from callcentre.programmes import Programme


class Origin(StrEnum):
    """How somebody came without a list."""

    WALK_IN = "walk_in"
    SCHOOL = "school"
    PARTNER = "partner"


FIELDS: tuple[tuple[str, Field, int], ...] = (
    ("family_name", Field.FAMILY_NAME, 0),
    ("first_name", Field.FIRST_NAME, 0),
    ("usual_name", Field.USUAL_NAME, 0),
    ("birth_date", Field.BIRTH_DATE, 0),
    ("sex", Field.SEX, 0),
    ("ine", Field.INE, 0),
    ("phone", Field.PHONE, 0),
    ("email", Field.EMAIL, 0),
    ("address", Field.ADDRESS, 0),
    ("postal_code", Field.POSTAL_CODE, 0),
    ("commune", Field.COMMUNE, 0),
    ("guardian_family_name", Field.GUARDIAN_FAMILY_NAME, 1),
    ("guardian_first_name", Field.GUARDIAN_FIRST_NAME, 1),
    ("guardian_relation", Field.GUARDIAN_RELATION, 1),
    ("guardian_phone", Field.GUARDIAN_PHONE, 1),
    ("uai", Field.UAI, 0),
    ("school", Field.SCHOOL, 0),
    ("class_label", Field.CLASS_LABEL, 0),
    ("exit_date", Field.EXIT_DATE, 0),
    ("exit_reason", Field.EXIT_REASON, 0),
    ("territory", Field.TERRITORY, 0),
)
"""What may be typed: the name in a form or in the API, the field of a list, the guardian's rank."""

_MAPPING = SheetMapping(
    sheet="",
    header_row=0,
    headers=tuple(name for name, _, _ in FIELDS),
    columns=tuple(Column(index, about, rank) for index, (_, about, rank) in enumerate(FIELDS)),
    left_out=(),
)
_BEARABLE = frozenset(
    {
        ReasonCode.TERRITORY_FROM_POSTAL_CODE,
        ReasonCode.NO_CALLABLE_NUMBER,
        ReasonCode.MINOR_WITHOUT_GUARDIAN,
        ReasonCode.AGE_OVER,
        ReasonCode.EXIT_DATE_OLD,
        ReasonCode.NUMBER_FOREIGN,
        ReasonCode.POSSIBLE_HOMONYM,
    }
)
"""Remarks that typing again would not change: they are told, and bar nothing."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What came of a form: a person, or what to correct, or the people among whom to choose."""

    person_id: int | None = None
    change: Change | None = None
    errors: Mapping[str, Reason] = field(default_factory=dict)
    """By the name of the field."""
    remarks: tuple[Reason, ...] = ()
    possible: tuple[Known, ...] = ()
    """Known people who may be meant; the same form with `onto` or `as_new` settles it."""


def enter_person(
    session: Session,
    cells: Mapping[str, str],
    *,
    programme: Programme,
    signalled_on: date,
    origin: Origin,
    now: datetime,
    by: int | None = None,
    onto: int | None = None,
    as_new: bool = False,
) -> Typed:
    """Let somebody into a programme's queue, or say what is to be corrected or chosen first.

    Nothing is written unless `person_id` is there. Typed again, the same person changes nothing.
    """
    row = read_row(
        "",
        1,
        tuple(cells.get(name, "") for name, _, _ in FIELDS),
        _MAPPING,
        scope_of(programme, signalled_on),
    )
    bearable = _BEARABLE if cells.get("territory", "").strip() else _BEARABLE | {ReasonCode.TERRITORY_UNKNOWN}
    remarks = tuple(reason for reason in row.remarks if reason.code in bearable)
    said = row.remarks if isinstance(row.outcome, Candidate) else (*row.outcome.reasons, *row.remarks)
    errors = _errors([reason for reason in said if reason.code not in bearable])
    if errors or not isinstance(row.outcome, Candidate):
        return Typed(errors=errors, remarks=remarks)
    candidate = row.outcome
    lock_imports(session)
    programme_id = programme_row(session, programme)
    possible = _possible(session, candidate)
    person_id, candidate, unsure = _who(session, candidate, possible, onto=onto, as_new=as_new)
    if unsure:
        return Typed(remarks=remarks, possible=possible)
    done = register(
        session, candidate, zone=zone_name(candidate, programme), now=now, person_id=person_id, source="hand"
    )
    enter(
        session,
        [Entrant(done.person_id, candidate, done.gives_number, done.change is Change.CREATED)],
        ground=ground_of(session, programme_id, programme),
        list_file_id=None,
        list_date=signalled_on,
        now=now,
    )
    compare_person(session, done.person_id, now=now)
    details = {"origin": str(origin), "signalled_on": signalled_on.isoformat(), "change": str(done.change)}
    trail.record(session, "person_typed", "person", done.person_id, by=by, now=now, details=details)
    return Typed(done.person_id, done.change, {}, remarks)


def _errors(reasons: Sequence[Reason]) -> dict[str, Reason]:
    """What is to be corrected, the first of each field."""
    errors: dict[str, Reason] = {}
    for reason in reasons:
        if reason.effect in {Effect.NOTE, Effect.IGNORE}:
            continue
        errors.setdefault(str(reason.field or ""), reason)
    return errors


def _possible(session: Session, candidate: Candidate) -> tuple[Known, ...]:
    return tuple({person.ref: person for person in load_known(session, [candidate])}.values())


def _who(
    session: Session, candidate: Candidate, possible: tuple[Known, ...], *, onto: int | None, as_new: bool
) -> tuple[int | None, Candidate, bool]:
    """Which known person it is, the candidate without what is somebody else's, and whether a person must say."""
    if onto is not None:
        stands_for = kept_of(session, [onto]).get(onto, onto)
        if stands_for not in {person.ref for person in possible}:
            raise NotFound("person")
        return stands_for, _own(candidate, possible, stands_for), False
    if as_new:
        return None, _own(candidate, possible, None), False
    match = Decider(session, list_file_id=None).match(candidate)
    homonym = any(reason.code is ReasonCode.POSSIBLE_HOMONYM for reason in match.reasons)
    if match.is_blocked or (match.ref is None and homonym):
        return None, candidate, True
    return match.ref, _own(candidate, possible, match.ref), False


def _own(candidate: Candidate, possible: tuple[Known, ...], person_id: int | None) -> Candidate:
    """The candidate without an identifier that belongs to somebody else."""
    others = [person for person in possible if person.ref != person_id]
    if candidate.ine and any(candidate.ine in person.ines for person in others):
        candidate = replace(candidate, ine=None)
    if candidate.siei and any(candidate.siei in person.sieis for person in others):
        candidate = replace(candidate, siei=None)
    return candidate
