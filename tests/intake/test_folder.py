"""The watched folder: whole lists are imported, half-written ones wait, others are refused with the reason beside."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.intake import folder, importing, profiles, queries
from callcentre.intake.folder import Drop, Dropped
from callcentre.intake.kinds import Source
from callcentre.intake.mapping import signature_of
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

LIST = csv_list({"Portable": "06 39 98 00 01"}, {"Nom": "BERNARD", "Né(e) le": "31/02/2008"})


class Watched:
    """A folder that is looked at once a minute."""

    def __init__(self, path: Path, sessions: sessionmaker[Session]) -> None:
        self.path, self.sessions, self.now = path / "depot", sessions, NOW
        self.drop = Drop(self.path, ground.programme(), ground.column_words(), 1024 * 1024)
        self.path.mkdir()

    def look(self) -> list[Dropped]:
        self.now += timedelta(minutes=1)
        return folder.look(self.sessions, self.drop, now=self.now)

    def put(self, name: str, content: bytes) -> None:
        (self.path / name).write_bytes(content)

    def names(self, of: str = "") -> list[str]:
        return sorted(
            p.name for p in (self.path / of).iterdir() if p.is_file() and not p.name.startswith(".")
        )


@pytest.fixture
def watched(tmp_path: Path, sessions: sessionmaker[Session]) -> Watched:
    return Watched(tmp_path, sessions)


def test_a_list_is_imported_once_it_is_whole(watched: Watched) -> None:
    watched.put("liste_2026-11-15.csv", LIST[:40])
    assert watched.look() == []
    watched.put("liste_2026-11-15.csv", LIST)
    assert watched.look() == [], "it grew since the last look"
    (done,) = watched.look()
    assert (done.is_imported, done.words) == (True, "1 created, 1 quarantined")
    assert watched.names() == []
    assert watched.names("imported") == ["liste_2026-11-15.csv", "liste_2026-11-15.csv.json"]
    report = json.loads((watched.path / "imported" / "liste_2026-11-15.csv.json").read_text())
    assert [row["fate"] for row in report["rows"]] == ["created", "quarantined"]
    with reading(watched.sessions) as session:
        file = queries.list_file(session, done.list_file_id or 0)
    assert (file.list_date, file.source) == (date(2026, 11, 15), Source.FOLDER)
    assert watched.look() == []


def test_what_is_not_a_list_is_refused_with_the_reason_beside_it(watched: Watched) -> None:
    watched.put("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(200))
    watched.put("colonnes.csv", b"Nom;Commune\r\nMARTIN;ARLES\r\n")
    watched.put("grand.csv", b"x" * (1024 * 1024 + 1))
    watched.put("liste 2027-01-01.csv", LIST)
    watched.look()
    assert [done.is_imported for done in watched.look()] == [False] * 4
    assert len(watched.names("refused")) == 8
    assert "prénom" in (watched.path / "refused" / "colonnes.csv.txt").read_text()
    assert "futur" in (watched.path / "refused" / "liste 2027-01-01.csv.txt").read_text()
    assert ground.people(watched.sessions) == []


def test_links_hidden_and_half_written_files_are_left_alone(watched: Watched, tmp_path: Path) -> None:
    outside = tmp_path / "ailleurs.csv"
    outside.write_bytes(LIST)
    (watched.path / "lien.csv").symlink_to(outside)
    for name in (".liste.csv", "~$liste.xlsx", "liste.csv.part", "liste.csv.filepart"):
        watched.put(name, LIST)
    (watched.path / "dossier").mkdir()
    assert [watched.look(), watched.look(), watched.look()] == [[], [], []]


def test_the_same_list_dropped_again_changes_nothing(watched: Watched) -> None:
    for _ in range(3):
        watched.put("liste_20261115.csv", LIST)
        watched.look()
        watched.look()
    assert len(ground.people(watched.sessions)) == 1
    assert watched.names("imported")[:2] == ["liste_20261115 (2).csv", "liste_20261115 (2).csv.json"]
    with reading(watched.sessions) as session:
        assert len(queries.list_files(session)) == 1


def test_a_list_at_hand_when_the_worker_died_is_gone_on_with(watched: Watched) -> None:
    (watched.path / "working").mkdir()
    (watched.path / "working" / "liste_2026-11-15.csv").write_bytes(LIST)
    (done,) = watched.look()
    assert done.is_imported
    assert watched.names("working") == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("liste_2026-11-15.csv", date(2026, 11, 15)),
        ("SIEI 15.11.2026.xlsx", date(2026, 11, 15)),
        ("export20261115.csv", date(2026, 11, 15)),
        ("export_20261115_0812.csv", date(2026, 11, 15)),
        ("2026-11-15 remplace 2026-10-15.csv", None),
        ("2026-13-45.csv", None),
        ("0132026111512.csv", None),
        ("liste.csv", None),
    ],
)
def test_the_date_in_a_file_name(name: str, told: date | None) -> None:
    assert folder.date_in(name) == told


def test_a_list_received_on_the_page_is_not_imported_by_the_folder(watched: Watched) -> None:
    with watched.sessions.begin() as session:
        importing.receive(session, ground.prepared(LIST), programme=ground.programme(), now=NOW)
    assert watched.look() == []
    assert ground.people(watched.sessions) == []


def test_columns_that_somebody_named_once_are_known_in_the_folder_too(watched: Watched) -> None:
    headers = ("Joignable au", "Nom", "Prénom", "Né(e) le")
    content = csv_list({"Joignable au": "06 39 98 00 01"}, headers=headers)
    with writing(watched.sessions) as session:
        profiles.remember(session, signature_of(headers), {"Joignable au": "phone"}, now=NOW)
    watched.put("liste_2026-11-15.csv", content)
    watched.look()
    (done,) = watched.look()
    assert done.is_imported, done.words
    (person,) = ground.people(watched.sessions)
    assert [number.e164 for number in person.numbers] == ["+33639980001"]
