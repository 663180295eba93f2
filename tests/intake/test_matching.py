"""Who is who: duplicates found, twins, siblings and homonyms kept apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from callcentre.intake.matching import Acquaintances, known_from, merge
from callcentre.intake.reasons import ReasonCode
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import NumberOwner
from callcentre.people.names import sort_name

BIRTH = date(2008, 2, 14)
SCHOOL_INE, OTHER_SCHOOL_INE, RNIE = "0370625062Z", "0471038858V", "140727415UU"


def candidate(family_name: str = "MARTIN", first_name: str = "Léa", **fields: object) -> Candidate:
    made = Candidate(family_name, first_name, BIRTH, sort_name(family_name, first_name))
    changed = replace(made, **fields)  # type: ignore[arg-type]
    return replace(changed, sort_name=sort_name(changed.family_name, changed.first_name))


def own(e164: str) -> tuple[CandidateNumber, ...]:
    return (CandidateNumber(e164, "mobile", NumberOwner.YOUNG_PERSON),)


def acquainted(*people: Candidate) -> Acquaintances:
    return Acquaintances(known_from(person, ref) for ref, person in enumerate(people, start=1))


def test_the_same_ine_and_name_is_the_same_person() -> None:
    known = acquainted(candidate(ine=SCHOOL_INE))
    assert known.find(candidate("Martin", "LEA", ine=SCHOOL_INE)).ref == 1


def test_the_same_ine_stands_a_corrected_birth_date_or_family_name() -> None:
    known = acquainted(candidate(ine=SCHOOL_INE))
    assert known.find(candidate(ine=SCHOOL_INE, birth_date=date(2008, 4, 12))).ref == 1
    assert known.find(candidate("DURAND", "Léa", ine=SCHOOL_INE)).ref == 1


def test_one_ine_on_two_people_is_left_to_a_person() -> None:
    known = acquainted(candidate(ine=SCHOOL_INE))
    match = known.find(candidate("DURAND", "Karim", ine=SCHOOL_INE, birth_date=date(2007, 1, 1)))
    assert match.is_blocked
    assert [reason.code for reason in match.reasons] == [ReasonCode.INE_ON_TWO_PEOPLE]


def test_twins_are_never_merged_even_with_one_ine_between_them() -> None:
    shared = own("+33639987327")
    known = acquainted(candidate("DA SILVA", "Salma", ine=SCHOOL_INE, numbers=shared))
    assert known.find(candidate("DA SILVA", "Imane", ine=OTHER_SCHOOL_INE, numbers=shared)).ref is None
    assert known.find(candidate("DA SILVA", "Imane", numbers=shared)).ref is None
    assert known.find(candidate("DA SILVA", "Imane", ine=SCHOOL_INE)).is_blocked


def test_the_same_name_and_birth_date_without_an_ine_is_the_same_person() -> None:
    known = acquainted(candidate("BÉRENGER", "Éloïse", ine=SCHOOL_INE))
    assert known.find(candidate("BERENGER", "ELOISE")).ref == 1
    assert known.find(candidate("BERENGER", "ELOISE", birth_date=date(2008, 2, 15))).ref is None


def test_homonyms_with_two_ines_are_two_people_and_flagged() -> None:
    match = acquainted(candidate(ine=SCHOOL_INE)).find(candidate(ine=OTHER_SCHOOL_INE))
    assert match.ref is None
    assert not match.is_blocked
    assert [reason.code for reason in match.reasons] == [ReasonCode.POSSIBLE_HOMONYM]


def test_an_ine_of_the_newer_form_is_the_same_person_only_with_an_own_contact_in_common() -> None:
    known = acquainted(candidate(ine=SCHOOL_INE, numbers=own("+33639981234")))
    assert known.find(candidate(ine=RNIE, numbers=own("+33639981234"))).ref == 1
    assert known.find(candidate(ine=RNIE, numbers=own("+33639985555"))).ref is None


def test_a_row_without_ine_that_fits_two_homonyms_is_left_to_a_person() -> None:
    match = acquainted(candidate(ine=SCHOOL_INE), candidate(ine=OTHER_SCHOOL_INE)).find(candidate())
    assert match.is_blocked
    assert [reason.code for reason in match.reasons] == [ReasonCode.AMBIGUOUS_PERSON]


def test_a_file_number_proves_nothing_against_the_names() -> None:
    known = acquainted(candidate(siei="RIO13-000001"))
    assert known.find(candidate("MARTIN", "Léa", siei="RIO13-000001", birth_date=date(2008, 2, 4))).ref == 1
    match = known.find(candidate("DURAND", "Karim", siei="RIO13-000001"))
    assert match.ref is None
    assert match.drop_siei
    assert [reason.code for reason in match.reasons] == [ReasonCode.SIEI_ON_TWO_PEOPLE]


def test_two_rows_of_one_person_fill_each_others_blanks() -> None:
    first = candidate(numbers=own("+33639981111"), school="LP A", guardians=(CandidateGuardian(1, "MARTIN"),))
    second = candidate(
        "martin",
        "lea",
        email="lea@example.com",
        uai="0139115M",
        numbers=(*own("+33639982222"), *own("+33639981111")),
        guardians=(CandidateGuardian(1, "AUTRE"), CandidateGuardian(2, "MARTIN")),
    )
    merged = merge(first, second)
    assert (merged.family_name, merged.email, merged.school, merged.uai) == (
        "MARTIN", "lea@example.com", "LP A", None,
    )  # fmt: skip
    assert [number.e164 for number in merged.numbers] == ["+33639981111", "+33639982222"]
    assert [(g.rank, g.family_name) for g in merged.guardians] == [(1, "MARTIN"), (2, "MARTIN")]
