"""The samples import as their expected files say, and a second time they change nothing."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.callqueue.models import QueueEntry
from callcentre.database import reading
from callcentre.funnel.models import StageChange
from callcentre.intake import checking
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.queries import ExportedPerson
from callcentre.people.models import PersonNumber, PhoneNumber, YoungPerson
from tests.intake import ground

FATES = {
    "import": {Fate.CREATED},
    "duplicate": {Fate.DUPLICATE},
    "either": {Fate.CREATED, Fate.QUARANTINED},
    "ignore": {Fate.IGNORED},
}
OWNERS = {"jeune": "young_person", "resp": "guardian"}


def plain(text: str | None) -> str:
    composed = unicodedata.normalize("NFC", text or "").replace("’", "'").casefold()
    return re.sub(r"\s+", " ", re.sub(r"\s*-\s*", "-", composed)).strip()


def wanted_values(person: ExportedPerson) -> dict[str, Any]:
    return {
        "nom": plain(person.family_name),
        "prenom": plain(person.first_name),
        "naissance": person.birth_date.isoformat(),
        "ine": person.ines[-1] if person.ines else None,
        "email": person.email,
        "code_postal": person.postal_code,
        "uai": person.uai,
        "psad": person.psad,
        "date_sortie": person.exit_date.isoformat() if person.exit_date else None,
    }


@pytest.mark.parametrize("sample", ["liste_siei", "classeur", "brouillonne"])
def test_a_sample_imports_as_expected(sessions: sessionmaker[Session], sample: str) -> None:
    truth = ground.expected(sample)
    file = ground.SAMPLES[sample]
    done = ground.import_list(
        sessions, file.read_bytes(), file.name, list_date=date.fromisoformat(truth["today"])
    )
    assert done.state is ListState.IMPORTED
    people = {person.ines[-1]: person for person in ground.people(sessions)}
    wanted = {person["values"]["ine"]: person for person in truth["people"] if person["must"] == "present"}
    assert set(people) == set(wanted)
    for ine, person in wanted.items():
        check_person(people[ine], person)
    check_rows({row.number: row for row in ground.rows(sessions, done.list_file_id)}, truth)


def check_person(person: ExportedPerson, wanted: dict[str, Any]) -> None:
    values = wanted_values(person)
    for name, value in wanted["values"].items():
        expected_value = plain(value) if name in {"nom", "prenom"} else value
        assert values[name] == expected_value, (name, wanted["key"])
    owners = {number.e164: number.owner for number in person.numbers if number.callable}
    assert set(owners) == set(wanted["phones"])
    assert owners == {e164: OWNERS[owner] for e164, owner in wanted["owners"].items()}
    assert person.in_current_list
    assert not person.opted_out


def check_rows(rows: dict[int, Any], truth: dict[str, Any]) -> None:
    for wanted in truth["rows"]:
        row = rows[wanted["row"]]
        assert row.fate in FATES[wanted["fate"]], wanted
        families = {reason.family for reason in row.reasons}
        assert not wanted.get("report") or families & set(wanted["report"]), wanted
    unlisted = [row for number, row in rows.items() if number not in {w["row"] for w in truth["rows"]}]
    assert all(row.fate is Fate.IGNORED for row in unlisted)


def everything(sessions: sessionmaker[Session]) -> dict[str, int | None]:
    with reading(sessions) as session:
        tables = (YoungPerson, PhoneNumber, PersonNumber, QueueEntry, StageChange)
        counts = {t.__tablename__: session.scalar(select(func.count()).select_from(t)) for t in tables}
        counts["changed"] = session.scalar(
            select(func.count())
            .select_from(YoungPerson)
            .where(YoungPerson.updated_at > YoungPerson.created_at)
        )
        return counts


@pytest.mark.parametrize("sample", ["classeur", "brouillonne"])
def test_importing_a_sample_again_changes_nothing(both_sessions: sessionmaker[Session], sample: str) -> None:
    sessions = both_sessions
    content, name = ground.SAMPLES[sample].read_bytes(), ground.SAMPLES[sample].name
    first = ground.import_list(sessions, content, name)
    before = everything(sessions), ground.people(sessions)
    again = ground.import_list(sessions, content, name)
    assert (again.list_file_id, again.counts) == (first.list_file_id, first.counts)
    later = ground.import_list(sessions, content, name, list_date=date(2026, 11, 20))
    assert later.list_file_id != first.list_file_id
    assert later.counts["created"] == later.counts["updated"] == 0
    assert later.counts["unchanged"] == first.counts["created"]
    assert (everything(sessions), ground.people(sessions)) == before


def test_the_check_tells_what_the_import_does_and_writes_nothing(sessions: sessionmaker[Session]) -> None:
    file = ground.SAMPLES["brouillonne"]
    ready = ground.prepared(file.read_bytes(), file.name)
    with reading(sessions) as session:
        plan = checking.check(session, ready, programme=ground.programme())
    assert everything(sessions)["young_people"] == 0
    done = ground.import_list(sessions, file.read_bytes(), file.name)
    assert plan.counts == done.counts
    stored = ground.rows(sessions, done.list_file_id)
    assert [(row.number, row.fate, row.reasons) for row in plan.rows] == [
        (row.number, row.fate, row.reasons) for row in stored
    ]
