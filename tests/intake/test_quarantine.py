"""Quarantined rows: corrected and released, set aside, downloaded, purged."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.intake import quarantine, queries, reports
from callcentre.intake.kinds import Fate
from callcentre.intake.reasons import ReasonCode
from callcentre.intake.retention import purge_quarantine
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

INE, OTHER_INE = "140727415UU", "092392837AJ"


def held_rows(sessions: sessionmaker[Session], content: bytes) -> list[queries.RowView]:
    done = ground.import_list(sessions, content)
    return [row for row in ground.rows(sessions, done.list_file_id) if row.fate is Fate.QUARANTINED]


def release(sessions: sessionmaker[Session], row_id: int, **corrections: str) -> quarantine.Settled:
    with writing(sessions) as session:
        return quarantine.release(session, row_id, corrections, programme=ground.programme(), now=NOW)


def test_a_corrected_row_goes_in_with_everything_that_it_held(both_sessions: sessionmaker[Session]) -> None:
    content = csv_list(
        {"INE": INE, "Né(e) le": "31/02/2008", "Portable": "0639981234", "PSAD": "Pays d'Arles"}
    )
    (held,) = held_rows(both_sessions, content)
    assert ("birth_date", "Né(e) le", "31/02/2008") in [(c.key, c.header, c.value) for c in held.cells]
    settled = release(both_sessions, held.id, birth_date="28/02/2008")
    assert (settled.fate, settled.reasons) == (Fate.CREATED, ())
    (person,) = ground.people(both_sessions)
    assert (person.birth_date, person.ines, person.psad) == (date(2008, 2, 28), (INE,), "PSAD Pays d'Arles")
    assert [number.e164 for number in person.numbers] == ["+33639981234"]
    with reading(both_sessions) as session:
        file = queries.list_file(session, held.list_file_id)
        row = queries.row(session, held.id)
    assert (file.counts["created"], file.counts["quarantined"]) == (1, 0)
    assert (row.cells, row.is_open, row.settled_at) == ((), False, NOW)


def test_a_correction_that_is_not_enough_keeps_the_row_and_what_was_typed(
    sessions: sessionmaker[Session],
) -> None:
    (held,) = held_rows(sessions, csv_list({"Nom": "", "Né(e) le": "31/02/2008"}))
    settled = release(sessions, held.id, birth_date="30/02/2008")
    assert settled.fate is Fate.QUARANTINED
    assert [reason.code for reason in settled.reasons] == [
        ReasonCode.NAME_MISSING,
        ReasonCode.BIRTH_DATE_IMPOSSIBLE,
    ]
    assert release(sessions, held.id, birth_date="28/02/2008").fate is Fate.QUARANTINED
    assert release(sessions, held.id, family_name="MARTIN").fate is Fate.CREATED


def test_a_released_row_about_somebody_of_the_same_list_is_a_duplicate(
    sessions: sessionmaker[Session],
) -> None:
    (held,) = held_rows(sessions, csv_list({"INE": INE}, {"INE": INE, "Né(e) le": "14/02/20088"}))
    assert release(sessions, held.id, birth_date="14/02/2008").fate is Fate.DUPLICATE
    assert len(ground.people(sessions)) == 1


def test_a_person_says_who_a_row_is(sessions: sessionmaker[Session]) -> None:
    content = csv_list(
        {"INE": INE}, {"INE": INE, "Prénom": "Karim", "Nom": "DURAND", "Né(e) le": "01/01/2007"}
    )
    (held,) = held_rows(sessions, content)
    assert held.reasons[0].code is ReasonCode.INE_ON_TWO_PEOPLE
    with writing(sessions) as session:
        settled = quarantine.release(session, held.id, {}, programme=ground.programme(), now=NOW, as_new=True)
    assert settled.fate is Fate.CREATED
    assert [(p.family_name, p.ines) for p in ground.people(sessions)] == [("DURAND", ()), ("MARTIN", (INE,))]


def test_a_person_names_the_homonym(sessions: sessionmaker[Session]) -> None:
    homonyms = csv_list({"INE": INE}, {"INE": OTHER_INE}, {"Mail": "lea@example.com"})
    (held,) = held_rows(sessions, homonyms)
    assert held.reasons[0].code is ReasonCode.AMBIGUOUS_PERSON
    with writing(sessions) as session:
        settled = quarantine.release(session, held.id, {}, programme=ground.programme(), now=NOW, onto=2)
    assert (settled.fate, settled.person_id) == (Fate.UPDATED, 2)
    assert [p.email for p in ground.people(sessions) if p.id == 2] == ["lea@example.com"]


def test_a_row_is_settled_once(sessions: sessionmaker[Session]) -> None:
    (held,) = held_rows(sessions, csv_list({"Né(e) le": "31/02/2008"}))
    release(sessions, held.id, birth_date="28/02/2008")
    with pytest.raises(NotAllowed):
        release(sessions, held.id, birth_date="27/02/2008")
    with pytest.raises(NotFound):
        release(sessions, 999, birth_date="27/02/2008")


def test_a_correction_of_a_column_that_is_not_there_is_refused(sessions: sessionmaker[Session]) -> None:
    (held,) = held_rows(sessions, csv_list({"Né(e) le": "31/02/2008"}))
    with pytest.raises(InvalidInput, match="religion"):
        release(sessions, held.id, religion="x")


def test_a_row_set_aside_keeps_its_reasons_and_nothing_else(sessions: sessionmaker[Session]) -> None:
    (held,) = held_rows(sessions, csv_list({"Né(e) le": "31/02/2008"}))
    with writing(sessions) as session:
        quarantine.set_aside(session, held.id, now=NOW, who="Admin")
    with reading(sessions) as session:
        row = queries.row(session, held.id)
        counts = queries.list_file(session, held.list_file_id).counts
    assert (row.fate, row.cells) == (Fate.IGNORED, ())
    assert [reason.as_json() for reason in row.reasons] == [
        {"code": "set_aside", "value": "Admin"},
        {"code": "birth_date_impossible", "field": "birth_date"},
    ]
    assert (counts["ignored"], counts["quarantined"]) == (1, 0)


def test_somebody_too_young_is_forgotten_after_seven_days(sessions: sessionmaker[Session]) -> None:
    content = csv_list({"Né(e) le": "01/01/2012"}, {"Nom": "DURAND", "Né(e) le": "31/02/2008"})
    young, undated = held_rows(sessions, content)
    for days, purged in ((6, 0), (7, 1), (8, 0)):
        with writing(sessions) as session:
            assert purge_quarantine(session, NOW + timedelta(days=days)) == purged
    with reading(sessions) as session:
        row = queries.row(session, young.id)
        assert queries.row(session, undated.id).cells
    assert (row.fate, row.cells, row.is_open) == (Fate.QUARANTINED, (), False)
    assert [reason.as_json() for reason in row.reasons] == [{"code": "age_under", "field": "birth_date"}]
    with pytest.raises(NotAllowed):
        release(sessions, young.id, birth_date="01/01/2008")


def test_correcting_a_row_does_not_give_it_more_days(sessions: sessionmaker[Session]) -> None:
    (held,) = held_rows(sessions, csv_list({"Né(e) le": "01/01/2012"}))
    with writing(sessions) as session:
        quarantine.release(
            session,
            held.id,
            {"birth_date": "02/01/2012"},
            programme=ground.programme(),
            now=NOW + timedelta(days=5),
        )
    with reading(sessions) as session:
        assert queries.row(session, held.id).purge_on == held.purge_on


def test_the_download_corrected_and_sent_again_lets_them_in(sessions: sessionmaker[Session]) -> None:
    content = csv_list(
        {"INE": INE}, {"INE": OTHER_INE, "Nom": "=1+1", "Né(e) le": "31/02/2008", "Portable": "+33639981234"}
    )
    (held,) = held_rows(sessions, content)
    with reading(sessions) as session:
        book = load_workbook(io.BytesIO(reports.quarantine_workbook(session, held.list_file_id)))
    page = book.worksheets[0]
    header = [cell.value for cell in page[1]]
    assert header == [*ground.HEADERS, "N° de ligne d’origine", "À corriger"]
    line = dict(zip(header, page[2], strict=True))
    assert line["N° de ligne d’origine"].value == "3"
    assert "31/02/2008" in str(line["À corriger"].value)
    assert all(
        cell.data_type == "s" and not str(cell.value).startswith("=") for cell in page[2] if cell.value
    )
    line["Nom"].value, line["Né(e) le"].value = "DURAND", "28/02/2008"
    corrected = io.BytesIO()
    book.save(corrected)
    done = ground.import_list(sessions, corrected.getvalue(), "corrige.xlsx")
    assert done.counts["created"] == 1
    assert [(p.family_name, p.numbers[0].e164 if p.numbers else None) for p in ground.people(sessions)] == [
        ("DURAND", "+33639981234"),
        ("MARTIN", None),
    ]


def test_the_counts_of_a_file_are_those_of_its_rows(sessions: sessionmaker[Session]) -> None:
    file = ground.SAMPLES["brouillonne"]
    done = ground.import_list(sessions, file.read_bytes(), file.name)
    for row in ground.rows(sessions, done.list_file_id):
        if row.is_open:
            with writing(sessions) as session:
                quarantine.set_aside(session, row.id, now=NOW)
    with reading(sessions) as session:
        counts = queries.list_file(session, done.list_file_id).counts
        assert counts == queries.count_rows(session, done.list_file_id)
