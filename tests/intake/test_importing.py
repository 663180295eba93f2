"""Importing: fates, updates that never erase, resuming after a cut, two at once, a full disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from callcentre.callqueue import entries
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import make_engine, make_session_factory, reading, writing
from callcentre.errors import StorageFull
from callcentre.funnel.models import StageChange
from callcentre.intake import checking, importing, queries
from callcentre.intake.kinds import Fate, ListState, Problem
from callcentre.intake.models import ListBytes, ListFile, ListRow
from callcentre.intake.reasons import ReasonCode
from callcentre.people import numbers
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import PhoneNumber, YoungPerson
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

PROGRAMMES = {ground.programme().code: ground.programme()}
INE, OTHER_INE = "140727415UU", "092392837AJ"
NEXT_MONTH = date(2026, 12, 15)


def crowd(count: int) -> bytes:
    """A list of many different people."""
    letters = "ABCDEFGHIJ"
    return csv_list(
        *(
            {
                "Nom": "NOM" + "".join(letters[int(digit)] for digit in f"{n:04}"),
                "Portable": f"06 39 98 {n // 100:02} {n % 100:02}",
            }
            for n in range(count)
        )
    )


def fates(sessions: sessionmaker[Session], done: importing.Progress) -> list[Fate]:
    return [row.fate for row in ground.rows(sessions, done.list_file_id)]


def codes(sessions: sessionmaker[Session], done: importing.Progress) -> list[list[ReasonCode]]:
    return [[reason.code for reason in row.reasons] for row in ground.rows(sessions, done.list_file_id)]


def receive(sessions: sessionmaker[Session], content: bytes) -> int:
    with writing(sessions) as session:
        ready = ground.prepared(content)
        return importing.receive(session, ready, programme=ground.programme(), now=NOW)


# ---- fates


def test_a_list_brings_people_into_the_queue_and_the_funnel(both_sessions: sessionmaker[Session]) -> None:
    done = ground.import_list(
        both_sessions, csv_list({"INE": INE, "Portable": "0639981234"}, {"Nom": "DURAND"})
    )
    assert done.counts["created"] == 2
    with reading(both_sessions) as session:
        states = session.execute(select(QueueEntry.state, QueueEntry.deadline)).all()
        stages = session.scalars(select(StageChange.stage)).all()
    assert {state for state, _ in states} == {EntryState.OPEN}
    assert {deadline for _, deadline in states} == {None}
    assert list(stages) == ["to_contact", "to_contact"]


def test_the_legal_clock_of_a_minor_starts_with_the_list(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"Né(e) le": "14/02/2010"}), list_date=date(2026, 11, 30))
    with reading(sessions) as session:
        assert session.scalar(select(QueueEntry.deadline)) == date(2027, 2, 28)


def test_too_young_too_old_and_impossible(sessions: sessionmaker[Session]) -> None:
    content = csv_list(
        {"Né(e) le": "16/11/2010"},
        {"Nom": "PILE", "Né(e) le": "15/11/2010"},
        {"Né(e) le": "14/11/2000"},
        {"Né(e) le": "31/02/2008"},
        {"Né(e) le": ""},
        {"Nom": ""},
    )
    done = ground.import_list(sessions, content)
    assert fates(sessions, done) == [
        Fate.QUARANTINED, Fate.CREATED, Fate.CREATED, Fate.QUARANTINED, Fate.QUARANTINED, Fate.QUARANTINED,
    ]  # fmt: skip
    first = [row[0] for row in codes(sessions, done)]
    assert first[0] is ReasonCode.AGE_UNDER
    assert first[2] is ReasonCode.AGE_OVER
    assert first[3:] == [
        ReasonCode.BIRTH_DATE_IMPOSSIBLE, ReasonCode.BIRTH_DATE_MISSING, ReasonCode.NAME_MISSING,
    ]  # fmt: skip
    with reading(sessions) as session:
        held = queries.rows(session, done.list_file_id, fates=[Fate.QUARANTINED])
    assert held[0].purge_on == date(2026, 11, 23)
    assert held[1].purge_on == date(2027, 1, 15)


def test_a_bad_cell_never_loses_a_person(sessions: sessionmaker[Session]) -> None:
    bad = {
        "INE": "12AB",
        "Portable": "0600000000",
        "Mail": "x",
        "CP": "ABC",
        "RNE": "0139115A",
        "PSAD": "Lune",
    }
    done = ground.import_list(sessions, csv_list(bad))
    assert fates(sessions, done) == [Fate.CREATED]
    assert set(codes(sessions, done)[0]) >= {
        ReasonCode.INE_MALFORMED, ReasonCode.NUMBER_DUMMY, ReasonCode.EMAIL_MALFORMED, ReasonCode.UAI_CHECK_LETTER,
        ReasonCode.POSTAL_CODE_MALFORMED, ReasonCode.TERRITORY_UNKNOWN, ReasonCode.NO_CALLABLE_NUMBER,
    }  # fmt: skip
    (person,) = ground.people(sessions)
    assert (person.psad, person.numbers) == ("À rattacher", ())


def test_a_number_that_the_list_says_not_to_call_is_known_and_not_callable(
    sessions: sessionmaker[Session],
) -> None:
    ground.import_list(sessions, csv_list({"Portable": "06 39 98 12 34 (ne pas appeler)"}))
    (person,) = ground.people(sessions)
    assert [(n.e164, n.callable, n.why_not) for n in person.numbers] == [
        ("+33639981234", False, "marked_no_call")
    ]


def test_comments_and_unknown_columns_are_never_stored(sessions: sessionmaker[Session]) -> None:
    headers = (*ground.HEADERS, "Commentaires", "Religion")
    row = {"Né(e) le": "31/02/2008", "Commentaires": "SECRET1", "Religion": "SECRET2"}
    done = ground.import_list(sessions, csv_list(row, headers=headers))
    with reading(sessions) as session:
        assert queries.list_file(session, done.list_file_id).left_out == ("Commentaires", "Religion")
        stored = session.execute(
            select(ListRow.cells, ListRow.reasons, ListFile.mapping).join_from(ListRow, ListFile)
        )
        assert "SECRET" not in str(stored.all())
        assert session.scalars(select(ListBytes.content)).all() == []


# ---- lists that come again


def test_a_later_list_updates_adds_and_never_erases(sessions: sessionmaker[Session]) -> None:
    first = {"INE": INE, "Portable": "0639981234", "Mail": "lea@example.com", "CP": "13001"}
    ground.import_list(sessions, csv_list(first))
    later = {"INE": INE, "Portable": "0639985555", "Mail": "", "CP": "13002"}
    done = ground.import_list(sessions, csv_list(later), list_date=NEXT_MONTH)
    assert done.counts["updated"] == 1
    (person,) = ground.people(sessions)
    assert (person.email, person.postal_code) == ("lea@example.com", "13002")
    assert [number.e164 for number in person.numbers] == ["+33639981234", "+33639985555"]


def test_what_an_officer_verified_beats_the_list(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE, "Mail": "right@example.com"}))
    with writing(sessions) as session:
        session.execute(update(YoungPerson).values(verified={"email": NOW.isoformat()}))
    content = csv_list({"INE": INE, "Mail": "wrong@example.com"})
    done = ground.import_list(sessions, content, list_date=NEXT_MONTH)
    assert fates(sessions, done) == [Fate.UNCHANGED]
    assert ReasonCode.VERIFIED_KEPT in codes(sessions, done)[0]
    assert ground.people(sessions)[0].email == "right@example.com"


def test_a_number_given_to_an_officer_stays(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE, "Portable": "0639981234"}))
    with writing(sessions) as session:
        numbers.add(
            session, person_id=1, text="0639987777", owner=NumberOwner.YOUNG_PERSON, region="FR", now=NOW
        )
    done = ground.import_list(
        sessions, csv_list({"INE": INE, "Portable": "0639981234"}), list_date=NEXT_MONTH
    )
    assert done.counts["unchanged"] == 1
    assert len(ground.people(sessions)[0].numbers) == 2


def test_a_plainer_spelling_does_not_take_the_accents_away(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE, "Nom": "BÉRENGER", "Prénom": "Éloïse"}))
    again = csv_list({"INE": INE, "Nom": "BERENGER", "Prénom": "ELOISE"})
    done = ground.import_list(sessions, again, list_date=NEXT_MONTH)
    assert done.counts["unchanged"] == 1
    assert ground.people(sessions)[0].family_name == "BÉRENGER"


def test_a_list_moves_somebody_to_the_territory_that_it_names(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE, "PSAD": "PSAD Marseille Nord"}))
    assert ground.people(sessions)[0].psad == "PSAD Marseille Nord"
    done = ground.import_list(sessions, csv_list({"INE": INE, "PSAD": "Pays d'Arles"}), list_date=NEXT_MONTH)
    assert done.counts["updated"] == 1
    assert ground.people(sessions)[0].psad == "PSAD Pays d'Arles"


def test_a_newer_list_reopens_what_says_so_and_nothing_else(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": INE}, {"INE": OTHER_INE, "Nom": "DURAND"}))
    with writing(sessions) as session:
        for entry, codes_ in zip(
            session.scalars(select(QueueEntry)), ("new_list", "supervisor"), strict=True
        ):
            entries.close(session, entry, reason="done", reopened_by=codes_, now=NOW + timedelta(days=1))
    older = csv_list({"INE": INE, "Mail": "a@example.com"}, {"INE": OTHER_INE, "Nom": "DURAND"})
    assert ground.import_list(sessions, older).counts["updated"] == 1
    with reading(sessions) as session:
        assert set(session.scalars(select(QueueEntry.state))) == {EntryState.CLOSED}
    newer = ground.import_list(sessions, older, list_date=NEXT_MONTH)
    assert (newer.counts["updated"], newer.counts["unchanged"]) == (1, 1)
    with reading(sessions) as session:
        assert [e.state for e in session.scalars(select(QueueEntry).order_by(QueueEntry.id))] == [
            EntryState.OPEN, EntryState.CLOSED,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("06 39 98 00 02", EntryState.OPEN),
        ("06 39 98 00 01", EntryState.CLOSED),
        ("06 39 98 00 01 (ne pas appeler)", EntryState.CLOSED),
        ("08 99 70 12 34", EntryState.CLOSED),
        ("08 99 70 12 34 / 06 39 98 00 02", EntryState.OPEN),
    ],
)
def test_only_a_number_to_call_that_was_not_known_reopens(
    both_sessions: sessionmaker[Session], cell: str, state: EntryState
) -> None:
    ground.import_list(both_sessions, csv_list({"INE": INE, "Portable": "06 39 98 00 01"}))
    with writing(both_sessions) as session:
        entry = session.scalars(select(QueueEntry)).one()
        entries.close(session, entry, reason="never_reached", reopened_by="new_number", now=NOW)
    older = ground.prepared(csv_list({"INE": INE, "Portable": cell}), list_date=date(2026, 11, 1))
    with reading(both_sessions) as session:
        (row,) = checking.check(session, older, programme=ground.programme()).rows
    assert ("queue" in row.changed) is (state == EntryState.OPEN)
    importing.import_file(both_sessions, older, programme=ground.programme(), now=NOW)
    with reading(both_sessions) as session:
        assert session.scalars(select(QueueEntry.state)).one() == state


def test_siblings_share_a_number_that_is_one_row(sessions: sessionmaker[Session]) -> None:
    mother = {"Tél. responsable": "mère 0639987327"}
    ground.import_list(
        sessions, csv_list({"INE": INE, **mother}, {"INE": OTHER_INE, "Prénom": "Max", **mother})
    )
    people = ground.people(sessions)
    assert [[n.e164 for n in person.numbers] for person in people] == [["+33639987327"]] * 2
    with reading(sessions) as session:
        assert session.scalar(select(func.count()).select_from(PhoneNumber)) == 1


def test_a_second_row_about_one_person_is_a_duplicate_that_adds_what_was_missing(
    sessions: sessionmaker[Session],
) -> None:
    content = csv_list(
        {"INE": INE, "Portable": "0639981234"},
        {"INE": INE.lower(), "Portable": "0639985555", "Mail": "lea@example.com"},
    )
    done = ground.import_list(sessions, content)
    assert fates(sessions, done) == [Fate.CREATED, Fate.DUPLICATE]
    assert ground.rows(sessions, done.list_file_id)[1].reasons[0].value == "2"
    (person,) = ground.people(sessions)
    assert person.email == "lea@example.com"
    assert len(person.numbers) == 2


def test_a_duplicate_in_a_later_chunk_is_still_one(sessions: sessionmaker[Session]) -> None:
    lines = crowd(importing.CHUNK_ROWS + 5).split(b"\r\n")
    content = b"\r\n".join([*lines, lines[1]])
    done = ground.import_list(sessions, content)
    assert (done.counts["created"], done.counts["duplicate"]) == (importing.CHUNK_ROWS + 5, 1)
    with reading(sessions) as session:
        plan = checking.check(session, ground.prepared(content), programme=ground.programme())
    assert (plan.counts["unchanged"], plan.counts["duplicate"]) == (importing.CHUNK_ROWS + 5, 1)


PERSON = st.fixed_dictionaries(
    {},
    optional={
        "INE": st.sampled_from([INE, OTHER_INE, "0370625062Z", "x"]),
        "Nom": st.sampled_from(["MARTIN", "Martín", "DURAND", ""]),
        "Prénom": st.sampled_from(["Léa", "LEA", "Max", "Imane"]),
        "Né(e) le": st.sampled_from(["14/02/2008", "14/02/08", "31/02/2008", "01/01/2015", ""]),
        "Portable": st.sampled_from(["0639981234", "0639985555 / mère 0465711234", "0600000000", "néant"]),
        "Tél. responsable": st.sampled_from(["0639987327", "+33 6 39 98 12 34", ""]),
        "Mail": st.sampled_from(["lea@example.com", "x"]),
        "CP": st.sampled_from(["13001", "97400", "1000"]),
        "RNE": st.sampled_from(["0139115M", "0139115A"]),
        "PSAD": st.sampled_from(["PSAD Marseille Nord", "Lune"]),
    },
)


@pytest.fixture
def empty_engines(_sqlite_template: Path, tmp_path: Path) -> Iterator[Any]:
    """Makes sessions on as many fresh databases as a test wants."""
    made: list[Any] = []

    def fresh() -> sessionmaker[Session]:
        file = tmp_path / f"fresh{len(made)}.sqlite"
        shutil.copyfile(_sqlite_template, file)
        engine = make_engine(f"sqlite:///{file}")
        made.append(engine)
        return make_session_factory(engine)

    yield fresh
    for engine in made:
        engine.dispose()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(PERSON, min_size=1, max_size=6))
def test_any_list_imported_twice_equals_once(empty_engines: Any, people: list[dict[str, str]]) -> None:
    sessions = empty_engines()
    content = csv_list(*people)
    with reading(sessions) as session:
        plan = checking.check(session, ground.prepared(content), programme=ground.programme())
    first = ground.import_list(sessions, content)
    assert plan.counts == first.counts
    before = ground.people(sessions)
    again = ground.import_list(sessions, content, list_date=date(2026, 11, 16))
    assert again.counts["created"] == 0
    if again.counts["quarantined"] == first.counts["quarantined"]:
        assert again.counts["updated"] == 0
        assert ground.people(sessions) == before
    else:  # of two namesakes a row without a number means either, once both are known: it waits for somebody
        assert len(ground.people(sessions)) == len(before)


def test_a_namesake_is_told_apart_by_an_own_number_or_address(sessions: sessionmaker[Session]) -> None:
    """Without an INE, where another of the name and birth date is known too."""
    lea = {"Nom": "MARTIN", "Prénom": "Léa", "Né(e) le": "14/02/2008", "CP": "13001"}
    mine = {"Mail": "lea@example.com"}
    rows = (lea | mine, lea | mine | {"INE": "140727415UU"}, lea | {"INE": "037062506ZA"})
    assert ground.import_list(sessions, csv_list(*rows)).counts["created"] == 2
    again = ground.import_list(sessions, csv_list(*rows), list_date=date(2026, 11, 16)).counts
    assert (again["quarantined"], again["updated"], again["created"]) == (0, 0, 0)
    unknown = ground.import_list(sessions, csv_list(lea), list_date=date(2026, 11, 17)).counts
    assert unknown["quarantined"] == 1


# ---- cut off, twice at once, no room


def snapshot(sessions: sessionmaker[Session]) -> list[object]:
    return [*ground.people(sessions), *[(r.number, r.fate, r.reasons) for r in ground.rows(sessions, 1)]]


class Cut(Exception):
    """The process ends here."""


def test_an_import_that_is_cut_off_goes_on_where_it_was(
    both_sessions: sessionmaker[Session], empty_engines: Any
) -> None:
    content = crowd(2 * importing.CHUNK_ROWS + 30)
    list_file_id = receive(both_sessions, content)

    def cut(done: int, total: int) -> None:
        raise Cut

    for _ in range(2):
        with pytest.raises(Cut):
            importing.run(both_sessions, list_file_id, programmes=PROGRAMMES, now=NOW, report=cut)
    with reading(both_sessions) as session:
        assert queries.list_file(session, list_file_id).rows_done == 2 * importing.CHUNK_ROWS
    assert importing.resume_interrupted(both_sessions, PROGRAMMES, NOW) == 0
    assert importing.resume_interrupted(both_sessions, PROGRAMMES, NOW + timedelta(minutes=2)) == 1
    clean = empty_engines()
    ground.import_list(clean, content)
    assert snapshot(both_sessions) == snapshot(clean)


def test_an_error_in_the_middle_of_a_chunk_leaves_nothing_of_it(sessions: sessionmaker[Session]) -> None:
    list_file_id = receive(sessions, crowd(10))
    ready = ground.prepared(crowd(10))

    def cut_before_the_end() -> None:
        with writing(sessions) as session:
            importing.start(session, list_file_id)
            importing.apply_chunk(session, list_file_id, ready, programme=ground.programme(), now=NOW)
            raise Cut

    with pytest.raises(Cut):
        cut_before_the_end()
    with reading(sessions) as session:
        assert session.scalar(select(func.count()).select_from(YoungPerson)) == 0
        assert queries.list_file(session, list_file_id).state is ListState.CHECKED


def test_two_imports_of_one_file_at_once_do_not_double(both_sessions: sessionmaker[Session]) -> None:
    content = crowd(3 * importing.CHUNK_ROWS)
    list_file_id = receive(both_sessions, content)
    together, ended = Barrier(2), []

    def work() -> None:
        together.wait()
        ended.append(importing.run(both_sessions, list_file_id, programmes=PROGRAMMES, now=NOW))

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [progress.state for progress in ended] == [ListState.IMPORTED] * 2
    assert ended[0].counts["created"] == 3 * importing.CHUNK_ROWS
    assert len(ground.people(both_sessions)) == 3 * importing.CHUNK_ROWS
    assert len(ground.rows(both_sessions, list_file_id)) == 3 * importing.CHUNK_ROWS


def test_two_lists_at_once_that_name_the_same_people_create_them_once(
    both_sessions: sessionmaker[Session],
) -> None:
    content = crowd(importing.CHUNK_ROWS + 20)
    ids = [receive(both_sessions, content), receive(both_sessions, content + b"\r\n")]
    together = Barrier(2)
    ended: list[importing.Progress] = []

    def work(list_file_id: int) -> None:
        together.wait()
        ended.append(importing.run(both_sessions, list_file_id, programmes=PROGRAMMES, now=NOW))

    threads = [Thread(target=work, args=(list_file_id,)) for list_file_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(progress.counts["created"] for progress in ended) == importing.CHUNK_ROWS + 20
    assert len(ground.people(both_sessions)) == importing.CHUNK_ROWS + 20


def pages(sessions: sessionmaker[Session]) -> int:
    with reading(sessions) as session:
        return int(session.connection().exec_driver_sql("PRAGMA page_count").scalar_one())


def test_a_full_disk_is_said_keeps_what_was_done_and_the_import_goes_on_later(
    sqlite_url: str, empty_engines: Any
) -> None:
    content = crowd(3 * importing.CHUNK_ROWS)
    elsewhere = empty_engines()
    ground.import_list(elsewhere, content)
    roomy = make_engine(sqlite_url)
    list_file_id = receive(make_session_factory(roomy), content)
    room = pages(make_session_factory(roomy))
    roomy.dispose()
    tight = make_engine(sqlite_url, page_limit=room + (pages(elsewhere) - room) * 2 // 3)
    with pytest.raises(StorageFull, match=r"La base de données est pleine : \d+ lignes sur 750"):
        importing.run(make_session_factory(tight), list_file_id, programmes=PROGRAMMES, now=NOW)
    tight.dispose()
    again = make_engine(sqlite_url)
    sessions = make_session_factory(again)
    with reading(sessions) as session:
        file = queries.list_file(session, list_file_id)
    assert file.rows_done in {importing.CHUNK_ROWS, 2 * importing.CHUNK_ROWS}
    assert len(ground.people(sessions)) == file.rows_done
    assert (file.state, file.problem) == (ListState.FAILED, Problem.STORAGE_FULL)
    done = importing.run(sessions, list_file_id, programmes=PROGRAMMES, now=NOW)
    assert (done.state, done.counts["created"]) == (ListState.IMPORTED, 3 * importing.CHUNK_ROWS)
    with reading(sessions) as session:
        assert queries.list_file(session, list_file_id).problem is None
    again.dispose()
