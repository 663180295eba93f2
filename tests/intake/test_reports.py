"""What leaves the intake: reports and exports, in words, without a live formula; the reasons' own completeness."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.dispositions import NumberSign
from callcentre.intake import checking, queries, reports
from callcentre.intake.fields import WORDS, Field
from callcentre.intake.kinds import Fate
from callcentre.intake.reasons import CATALOGUE, NUMBER_CODES, Reason, ReasonCode, from_json
from callcentre.people import numbers, opt_outs
from callcentre.people.models import PhoneNumber
from callcentre.phone import NumberReason
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

INE = "140727415UU"


def test_every_reason_has_its_words_in_both_languages() -> None:
    assert set(CATALOGUE) == set(ReasonCode)
    assert set(WORDS) == set(Field)
    unremarkable = {NumberReason.VALID, NumberReason.FICTION_BLOCK, NumberReason.EMPTY}
    assert set(NUMBER_CODES) == set(NumberReason) - unremarkable
    for code, text in CATALOGUE.items():
        assert text.fr != text.en, code
        assert ("{value}" in text.fr) == ("{value}" in text.en), code
        assert "{" not in Reason(code, "phone", "06").words("en"), code


def test_reasons_are_read_back_from_what_was_stored() -> None:
    reasons = (Reason(ReasonCode.NUMBER_DUMMY, "phone", "0600000000"), Reason(ReasonCode.BLANK_ROW))
    assert from_json([reason.as_json() for reason in reasons]) == reasons
    assert from_json([{"code": "retired_since"}]) == ()


def test_the_report_of_a_check_and_of_the_import_tell_the_same(sessions: sessionmaker[Session]) -> None:
    file = ground.SAMPLES["brouillonne"]
    with reading(sessions) as session:
        plan = checking.check(
            session, ground.prepared(file.read_bytes(), file.name), programme=ground.programme()
        )
    done = ground.import_list(sessions, file.read_bytes(), file.name)
    with reading(sessions) as session:
        stored = reports.file_report(session, done.list_file_id)
    planned = reports.plan_report(plan, name=file.name, programme="bouches-du-rhone", list_date="2026-11-15")
    assert json.loads(json.dumps(stored)) == stored
    for report in (planned, stored):
        assert report["counts"]["created"] == 55
        assert report["columns"][0]["read"]["Tél. responsable légal"] == "guardian_phone:1"
        by_row = {row["row"]: row for row in report["rows"]}
        assert by_row[49]["fate"] == "duplicate"
        assert by_row[41]["reasons"][0]["family"] == "phone"
        assert by_row[44]["reasons"][0]["en"].startswith("The birth date “31/02/2008”")


def exported(sessions: sessionmaker[Session]) -> dict[str, object]:
    with reading(sessions) as session:
        (person,) = queries.exported_people(session, 1)
    return reports.person_json(person)


def test_a_person_is_exported_with_every_number_and_why_it_is_not_called(
    sessions: sessionmaker[Session],
) -> None:
    ground.import_list(
        sessions,
        csv_list({"INE": INE, "Portable": "0639981234 / 0639985555", "Tél. responsable": "0465711234"}),
    )
    with writing(sessions) as session:
        ids = {n.e164: n.id for n in session.scalars(select(PhoneNumber))}
        numbers.judge(session, person_id=1, number_id=ids["+33639985555"], sign=NumberSign.STRANGER, now=NOW)
        opt_outs.opt_out(session, number_id=ids["+33465711234"], source="message", now=NOW)
    person = exported(sessions)
    told = [(n["e164"], n["owner"], n["callable"], n["why_not"]) for n in person["numbers"]]  # type: ignore[attr-defined]
    assert told == [
        ("+33639981234", "young_person", True, None),
        ("+33639985555", "young_person", False, "wrong"),
        ("+33465711234", "guardian", False, "opted_out"),
    ]
    assert (person["ines"], person["opted_out"], person["in_current_list"]) == ([INE], False, True)


def test_an_opposition_opts_a_person_out_of_everything_and_survives_the_next_list(
    sessions: sessionmaker[Session],
) -> None:
    content = csv_list({"INE": INE, "Portable": "0639981234"})
    ground.import_list(sessions, content)
    with writing(sessions) as session:
        opt_outs.oppose(session, person_id=1, source="voice", now=NOW)
    ground.import_list(
        sessions, csv_list({"INE": INE, "Portable": "0639985555"}), now=NOW + timedelta(days=30)
    )
    person = exported(sessions)
    assert person["opted_out"] is True
    assert {n["why_not"] for n in person["numbers"]} == {"opposition"}  # type: ignore[attr-defined]


def test_who_is_gone_from_the_newest_list_is_told(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE}, {"Nom": "DURAND"}))
    later = ground.LIST_DATE + timedelta(days=30)
    ground.import_list(sessions, csv_list({"INE": INE}), list_date=later)
    assert {p.family_name: p.in_current_list for p in ground.people(sessions)} == {
        "MARTIN": True,
        "DURAND": False,
    }


def test_no_export_carries_a_live_formula(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"Nom": "=CMD()", "Prénom": "@SUM", "Portable": "+32470123456"}))
    people = ground.people(sessions)
    text = "".join(reports.people_csv(people))
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert lines[0] == list(reports.PEOPLE_COLUMNS)
    assert not [cell for cell in lines[1] if cell.startswith(("=", "+", "-", "@"))]
    page = load_workbook(io.BytesIO(reports.people_workbook(people))).worksheets[0]
    assert not [c for row in page for c in row if c.data_type == "f" or str(c.value).startswith("=")]


@given(st.text(max_size=20))
def test_any_text_is_made_harmless(text: str) -> None:
    assert not reports.harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_rows_are_filtered_by_fate_and_remark(sessions: sessionmaker[Session]) -> None:
    file = ground.SAMPLES["brouillonne"]
    done = ground.import_list(sessions, file.read_bytes(), file.name)
    with reading(sessions) as session:
        duplicates = queries.rows(session, done.list_file_id, fates=[Fate.DUPLICATE])
        flagged = queries.rows(session, done.list_file_id, fates=[Fate.CREATED], flagged_only=True, limit=2)
        page = queries.rows(session, done.list_file_id, limit=10, offset=60)
        files = queries.list_files(session, programme_id=1)
    assert [row.number for row in duplicates] == [49, 50, 52]
    assert [row.number for row in flagged] == [41, 42]
    assert [row.number for row in page] == [62, 63, 64, 65]
    assert [(f.name, f.programme_code) for f in files] == [("brouillonne.csv", "bouches-du-rhone")]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+33639980001",
        "-2",
        "@SUM(A1)",
        " =1+1",
        "\u200b=1+1",
        "\ufeff=1",
        "＝1+1",
        "\t=1",
        "\r\n=1",
        "'=1",
        '"=1"',
    ],
)
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    guarded = reports.harmless(text)
    assert guarded.startswith("'"), guarded
    assert not guarded.lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_controls_and_marks_that_turn_letters_are_dropped() -> None:
    assert reports.harmless("Lé\x00a\u202e\u2066 M\x1bartin") == "Léa Martin"
    assert reports.harmless("Léa-Marie d’Été") == "Léa-Marie d’Été"
