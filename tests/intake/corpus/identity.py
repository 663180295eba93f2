"""Corpus: who is who in one list, what a second list changes, and who is in scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import writing
from callcentre.desk import merging
from callcentre.people import opt_outs
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import PersonNumber, PhoneNumber, YoungPerson
from tests.intake.corpus.making import delimited
from tests.intake.corpus.registry import Between, Expected, Family, Person, case

HEADERS = ("INE", "Nom", "Prénom", "Né(e) le", "Portable", "Tél. responsable", "Mail", "CP", "PSAD")
BORN, DATE = "2008-02-14", "14/02/2008"
ONE, TWO, HOME = "0639980001", "0639980002", "0465710001"
E_ONE, E_TWO, E_HOME = "+33639980001", "+33639980002", "+33465710001"
OLD, NEW = "0123456789A", "012345678AB"
"""One person's school number, and the one that came after it."""
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)

Row = Sequence[str]


def _list(*rows: Row) -> Callable[[Random], bytes]:
    padded = [[*row, *[""] * (len(HEADERS) - len(row))] for row in rows]
    return lambda _random: delimited([HEADERS, *padded])


def _person(first_name: str = "Léa", family_name: str = "MARTIN", **given: object) -> Person:
    return Person(family_name=family_name, first_name=first_name, birth_date=BORN, **given)  # type: ignore[arg-type]


def _identity(name: str, about: str, rows: Sequence[Row], expected: Expected) -> None:
    case(f"identity-{name}", Family.IDENTITY, _list(*rows), expected, about=about)


def _again(
    name: str,
    about: str,
    before: Sequence[Row],
    rows: Sequence[Row],
    expected: Expected,
    between: Between | None = None,
) -> None:
    case(
        f"again-{name}",
        Family.AGAIN,
        _list(*rows),
        expected,
        about=about,
        earlier=(_list(*before),),
        between=between,
    )


# ---- who is who in one list

_identity(
    "same-ine",
    "one INE twice, names alike: one person with both numbers",
    [(OLD, "MARTIN", "Léa", DATE, ONE), (OLD, "MARTIN", "Lea", DATE, TWO)],
    Expected(
        people=(_person(callable=(E_ONE, E_TWO)),),
        rows={"2": "created", "3": ("duplicate", "duplicate_in_file")},
    ),
)
_identity(
    "accents-and-hyphens",
    "no INE: one name through accents, hyphens, case and spaces is one person",
    [("", "D'ÉTÉ-ROUX", "Anne-Marie", DATE, ONE), ("", "D ETE ROUX", "ANNE MARIE", DATE, TWO)],
    Expected(
        people=(_person("Anne-Marie", "D'ÉTÉ-ROUX", callable=(E_ONE, E_TWO)),),
        rows={"2": "created", "3": "duplicate"},
    ),
)
_identity(
    "twins",
    "twins: one birth date, one home, one telephone, two first names",
    [("", "MARTIN", "Léa", DATE, ONE, HOME), ("", "MARTIN", "Lina", DATE, ONE, HOME)],
    Expected(people=(_person(), _person("Lina")), others="created"),
)
_identity(
    "siblings",
    "brother and sister on their mother's telephone",
    [("", "MARTIN", "Léa", DATE, "", HOME), ("", "MARTIN", "Noé", "01/05/2009", "", HOME)],
    Expected(
        people=(
            _person(callable=(E_HOME,), owners={E_HOME: "guardian"}),
            Person(family_name="MARTIN", first_name="Noé", birth_date="2009-05-01", callable=(E_HOME,)),
        ),
        others="created",
    ),
)
_identity(
    "homonyms",
    "one name, one birth date, two INEs of one form: two people, and it is said",
    [("0123456789A", "MARTIN", "Léa", DATE, ONE), ("9876543210B", "MARTIN", "Léa", DATE, TWO)],
    Expected(
        people=(_person(callable=(E_ONE,)), _person(callable=(E_TWO,))),
        rows={"2": "created", "3": ("created", "possible_homonym")},
    ),
)
_identity(
    "two-ines-one-person",
    "a school number and a newer one, with one's own telephone in common: one person with both",
    [(OLD, "MARTIN", "Léa", DATE, ONE), (NEW, "MARTIN", "Léa", DATE, ONE)],
    Expected(people=(_person(values={"ines": (OLD, NEW)}),), rows={"2": "created", "3": "duplicate"}),
)
_identity(
    "two-ines-three-rows",
    "the same, and a third row that has only the newer number: still one person",
    [(OLD, "MARTIN", "Léa", DATE, ONE), (NEW, "MARTIN", "Léa", DATE, ONE), (NEW, "MARTIN", "Léa", DATE, TWO)],
    Expected(
        people=(_person(callable=(E_ONE, E_TWO), values={"ines": (OLD, NEW)}),),
        rows={"2": "created", "3": "duplicate", "4": "duplicate"},
    ),
)
_identity(
    "one-ine-two-people",
    "one INE on two names: the second waits for somebody to say",
    [(OLD, "MARTIN", "Léa", DATE, ONE), (OLD, "BERNARD", "Noé", "01/05/2009", TWO)],
    Expected(people=(_person(),), rows={"2": "created", "3": ("quarantined", "ine_on_two_people")}),
)
_identity(
    "married-name",
    "one INE, another family name, same first name and birth date: one person",
    [(OLD, "MARTIN", "Léa", DATE, ONE), (OLD, "DURAND", "Léa", DATE, TWO)],
    Expected(people=(_person(callable=(E_ONE, E_TWO)),), rows={"2": "created", "3": "duplicate"}),
)
_identity(
    "ambiguous",
    "a third row without INE may be either of two homonyms: it waits",
    [
        ("0123456789A", "MARTIN", "Léa", DATE, ONE),
        ("9876543210B", "MARTIN", "Léa", DATE, TWO),
        ("", "MARTIN", "Léa", DATE, ""),
    ],
    Expected(rows={"2": "created", "3": "created", "4": ("quarantined", "ambiguous_person")}),
)
_identity(
    "foyer",
    "one telephone of a home for many: nobody is merged",
    [("", f"NOM{chr(65 + n)}", "Léa", DATE, ONE) for n in range(12)],
    Expected(
        people=tuple(_person("Léa", f"NOM{chr(65 + n)}", callable=(E_ONE,)) for n in range(12)),
        rows={str(n + 2): ("created", "number_of_many") for n in range(12)},
    ),
)

# ---- the next month's list

LEA = ("0123456789A", "MARTIN", "Léa", DATE, ONE, HOME, "lea@exemple.fr", "13013", "PSAD Marseille Nord")

_again(
    "unchanged",
    "the same list again: nothing changes",
    [LEA],
    [LEA],
    Expected(
        people=(_person(callable=(E_ONE, E_HOME), values={"in_current_list": True}),), others="unchanged"
    ),
)
case(
    "again-thrice",
    Family.AGAIN,
    _list(LEA, ("", "BERNARD", "Noé", DATE, TWO)),
    Expected(
        people=(
            _person(callable=(E_ONE, E_HOME), values={"in_current_list": True}),
            _person("Noé", "BERNARD", callable=(E_TWO,), values={"in_current_list": True}),
        ),
        others="unchanged",
    ),
    about="the same list a third time: nothing changes",
    earlier=(
        _list(LEA, ("", "BERNARD", "Noé", DATE, TWO)),
        _list(LEA, ("", "BERNARD", "Noé", DATE, TWO)),
    ),
)
case(
    "again-gone-and-back",
    Family.AGAIN,
    _list(LEA, ("", "BERNARD", "Noé", DATE, TWO)),
    Expected(
        people=(
            _person(values={"in_current_list": True}),
            _person("Noé", "BERNARD", callable=(E_TWO,), values={"in_current_list": True}),
        ),
        others="unchanged",
    ),
    about="somebody who was missing from one list is on the next one again: the same person, on the list",
    earlier=(_list(LEA, ("", "BERNARD", "Noé", DATE, TWO)), _list(LEA)),
)
_again(
    "empty-cells",
    "the same person with empty cells: nothing known is erased",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", DATE, "", "", "", "", "")],
    Expected(
        people=(
            _person(callable=(E_ONE, E_HOME), values={"email": "lea@exemple.fr", "postal_code": "13013"}),
        ),
        others="unchanged",
    ),
)
_again(
    "new-number-and-address",
    "a new number is added, a new address and e-mail replace",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", DATE, TWO, HOME, "martin@exemple.fr", "13100", "PSAD Aix-en-Provence")],
    Expected(
        people=(
            _person(
                callable=(E_ONE, E_HOME, E_TWO),
                values={"email": "martin@exemple.fr", "postal_code": "13100", "psad": "PSAD Aix-en-Provence"},
            ),
        ),
        others="updated",
    ),
)
_again(
    "gone",
    "somebody is no longer on the list: kept, and marked",
    [LEA, ("", "BERNARD", "Noé", DATE, TWO)],
    [LEA],
    Expected(
        has=(
            _person(values={"in_current_list": True}),
            _person("Noé", "BERNARD", values={"in_current_list": False}),
        ),
        others="unchanged",
    ),
)
_again(
    "lost-accents",
    "the next list has lost its accents: the spelling that had them stays",
    [LEA],
    [("0123456789A", "Martin", "LEA", DATE, ONE, HOME, "lea@exemple.fr", "13013", "PSAD Marseille Nord")],
    Expected(people=(_person(),), others="unchanged"),
)
_again(
    "corrected-birth-date",
    "one INE, a corrected birth date: updated, not doubled",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", "24/02/2008", ONE)],
    Expected(
        people=(Person(family_name="MARTIN", first_name="Léa", birth_date="2008-02-24"),), others="updated"
    ),
)
_again(
    "newer-ine",
    "known by a school number, listed under the newer one, same telephone: one person with both",
    [(OLD, "MARTIN", "Léa", DATE, ONE)],
    [(NEW, "MARTIN", "Léa", DATE, ONE)],
    Expected(people=(_person(values={"ines": (OLD, NEW)}),), others="updated"),
)
_again(
    "newer-ine-twice",
    "the newer number comes in two rows, the second without the telephone: one person, nothing refused",
    [(OLD, "MARTIN", "Léa", DATE, ONE)],
    [(NEW, "MARTIN", "Léa", DATE, ONE), (NEW, "MARTIN", "Léa", DATE, TWO)],
    Expected(people=(_person(values={"ines": (OLD, NEW)}),), rows={"2": "updated", "3": "duplicate"}),
)
_again(
    "do-not-call",
    "a number that the next list says not to call is called no more",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", DATE, f"{ONE} (ne pas appeler)", HOME)],
    Expected(people=(_person(callable=(E_HOME,)),), others="updated"),
)


def _oppose(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        person = session.scalars(select(YoungPerson.id)).one()
        opt_outs.oppose(session, person_id=person, source="voice", now=NOON)


def _stop(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        number = session.scalars(select(PhoneNumber.id).where(PhoneNumber.e164 == E_ONE)).one()
        opt_outs.opt_out(session, number_id=number, source="message", now=NOON)


def _verify(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        person = session.scalars(select(YoungPerson)).one()
        person.verified = {"email": NOON.isoformat()}


def _prove_wrong(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        number = select(PhoneNumber.id).where(PhoneNumber.e164 == E_ONE).scalar_subquery()
        link = session.scalars(select(PersonNumber).where(PersonNumber.number_id == number)).one()
        link.verdict, link.verdict_at = NumberVerdict.WRONG, NOON


def _merge(sessions: sessionmaker[Session]) -> None:
    with writing(sessions) as session:
        kept, gone = session.scalars(select(YoungPerson.id).order_by(YoungPerson.id)).all()
        merging.merge(session, {}, kept_id=kept, gone_id=gone, by=None, now=NOON)


_again(
    "opposition",
    "whoever objected stays off every number, whatever the next list brings",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", DATE, TWO, HOME)],
    Expected(people=(_person(callable=(), values={"opted_out": True}),)),
    _oppose,
)
_again(
    "number-proved-wrong",
    "a number that a call proved wrong stays uncalled when the next list repeats it",
    [LEA],
    [LEA],
    Expected(people=(_person(callable=(E_HOME,)),), others="unchanged"),
    _prove_wrong,
)
_again(
    "merged-by-hand",
    "two records that somebody merged: the next list names both again, and one person stays one",
    [LEA, ("", "MARTIN", "Lea-Anne", DATE, TWO)],
    [LEA, ("", "MARTIN", "Lea-Anne", DATE, TWO)],
    Expected(people=(_person(callable=(E_ONE, E_HOME, E_TWO)),), rows={"2": "unchanged", "3": "duplicate"}),
    _merge,
)
_again(
    "stop-on-a-number",
    "a number that said stop stays barred when the list repeats it, for a sibling too",
    [LEA],
    [LEA, ("", "MARTIN", "Noé", "01/05/2009", ONE, HOME)],
    Expected(
        people=(
            _person(callable=(E_HOME,)),
            Person(family_name="MARTIN", first_name="Noé", birth_date="2009-05-01", callable=(E_HOME,)),
        ),
        rows={"2": "unchanged", "3": "created"},
    ),
    _stop,
)
_again(
    "verified-by-an-officer",
    "what an officer verified beats the list, and it is said",
    [LEA],
    [("0123456789A", "MARTIN", "Léa", DATE, ONE, HOME, "autre@exemple.fr", "13013", "PSAD Marseille Nord")],
    Expected(
        people=(_person(values={"email": "lea@exemple.fr"}),),
        rows={"2": ("unchanged", "verified_kept")},
    ),
    _verify,
)

# ---- who is in scope

case(
    "scope-edges-of-age",
    Family.SCOPE,
    _list(
        ("", "QUINZE", "Léa", "16/11/2010", ONE, HOME),
        ("", "SEIZE", "Léa", "15/11/2010", ONE, HOME),
        ("", "VINGTCINQ", "Léa", "16/11/2000", ONE, HOME),
        ("", "VINGTSIX", "Léa", "15/11/2000", ONE, HOME),
    ),
    Expected(
        rows={
            "2": ("quarantined", "age_under"),
            "3": "created",
            "4": "created",
            "5": ("created", "age_over"),
        }
    ),
    about="sixteen today goes in, fifteen waits seven days, twenty-six is flagged",
)
case(
    "scope-minor-alone",
    Family.SCOPE,
    _list(("", "MINEUR", "Léa", "15/11/2009", ONE), ("", "MAJEUR", "Léa", "15/11/2008", ONE)),
    Expected(rows={"2": ("created", "minor_without_guardian"), "3": "created"}),
    about="a minor without any guardian is flagged, an adult is not",
)
