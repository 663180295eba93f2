"""The watched folder of the monthly drop: a list put there is imported under the rules of every other list.

Layout: lists are put into the folder itself; `imported` and `refused` receive each list with a report beside it,
`working` holds the one at hand. A file that changed since the last look is still being written, and waits. An edge:
it reads and moves files, and opens its own transactions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from callcentre.audit import trail
from callcentre.database import reading, writing
from callcentre.errors import CallCentreError
from callcentre.intake import importing, profiles, reports
from callcentre.intake.kinds import Source
from callcentre.intake.mapping import ColumnWords
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.reader import Refusal, safe_name
from callcentre.programmes import Programme

IMPORTED, REFUSED, WORKING = "imported", "refused", "working"
_SEEN = ".seen.json"
_HALF_WRITTEN = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".lock", ".swp")
_DATES = (
    re.compile(r"(?<!\d)(?P<year>20\d{2})[-_. ]?(?P<month>\d{2})[-_. ]?(?P<day>\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>\d{2})[-_. ]?(?P<month>\d{2})[-_. ]?(?P<year>20\d{2})(?!\d)"),
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What became of a list that was put into the folder."""

    name: str
    is_imported: bool
    words: str
    list_file_id: int | None = None


@dataclass(frozen=True)
class Drop:
    """A watched folder and what its lists are imported with."""

    folder: Path
    programme: Programme
    words: ColumnWords
    largest_bytes: int


def look(sessions: sessionmaker[Session], drop: Drop, *, now: datetime) -> list[Dropped]:
    """Import the lists that lie ready in a folder; return what became of each.

    A kill leaves the list at hand in `working`: the next look goes on with it, and no row is done twice.
    """
    for name in ("", IMPORTED, REFUSED, WORKING):
        (drop.folder / name).mkdir(parents=True, exist_ok=True)
    done = [_take(sessions, drop, path, now) for path in sorted((drop.folder / WORKING).iterdir())]
    for path in _ready(drop.folder):
        at_hand = _free(drop.folder / WORKING / path.name)
        path.rename(at_hand)
        done.append(_take(sessions, drop, at_hand, now))
    return done


def _ready(folder: Path) -> Iterator[Path]:
    """The files that are whole: as they were at the last look, and not marked as half written."""
    seen = _seen(folder)
    now_there: dict[str, list[int]] = {}
    ready = []
    for path in sorted(folder.iterdir()):
        is_own = path.name.startswith((".", "~$")) or path.name.lower().endswith(_HALF_WRITTEN)
        if is_own or path.is_symlink() or not path.is_file():
            continue
        state = path.stat()
        now_there[path.name] = [state.st_size, state.st_mtime_ns]
        if seen.get(path.name) == now_there[path.name] and state.st_size > 0:
            ready.append(path)
    (folder / _SEEN).write_text(json.dumps(now_there), encoding="utf-8")
    yield from ready


def _seen(folder: Path) -> Mapping[str, list[int]]:
    """What the last look saw; an unreadable note counts as none, and every file waits once more."""
    try:
        found = json.loads((folder / _SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _take(sessions: sessionmaker[Session], drop: Drop, path: Path, now: datetime) -> Dropped:
    found = _prepared(sessions, drop, path, now)
    if isinstance(found, Dropped):
        return _refuse(sessions, drop, path, found, now)
    try:
        done = importing.import_file(
            sessions, found, programme=drop.programme, now=now, worker="folder", source=Source.FOLDER
        )
    except CallCentreError as error:
        # Full disk or refusing database: the list stays at hand, and the next look goes on with it.
        return Dropped(path.name, is_imported=False, words=str(error))
    list_file_id = done.progress.list_file_id
    with reading(sessions) as session:
        report = reports.file_report(session, list_file_id)
    counts = ", ".join(f"{count} {fate}" for fate, count in done.progress.counts.items() if count)
    _put_away(path, drop.folder / IMPORTED, json.dumps(report, ensure_ascii=False, indent=1))
    _note(sessions, "list_dropped_imported", list_file_id, now)
    return Dropped(path.name, is_imported=True, words=counts, list_file_id=list_file_id)


def _prepared(
    sessions: sessionmaker[Session], drop: Drop, path: Path, now: datetime
) -> PreparedList | Dropped:
    """The list made ready, or why it is refused."""
    if path.stat().st_size > drop.largest_bytes:
        limit = drop.largest_bytes // (1024 * 1024)
        return Dropped(
            path.name, False, f"Le fichier dépasse la limite de {limit} Mo : coupez-le en deux listes."
        )
    today = now.astimezone(drop.programme.tz).date()
    list_date = date_in(path.name) or today
    if list_date > today:
        return Dropped(
            path.name, False, f"La date du nom du fichier, {list_date:%d/%m/%Y}, est dans le futur."
        )
    with reading(sessions) as session:
        remembered = profiles.remembered(session)
    found = prepare(
        path.read_bytes(),
        path.name,
        programme=drop.programme,
        list_date=list_date,
        words=drop.words,
        remembered=remembered,
    )
    return Dropped(path.name, False, f"{found.fr}\n{found.en}") if isinstance(found, Refusal) else found


def date_in(name: str) -> date | None:
    """The one date that a file name tells, as 2026-11-15, 20261115 or 15-11-2026; None when none or several do."""
    found = set()
    for form in _DATES:
        for match in form.finditer(name):
            try:
                found.add(date(int(match["year"]), int(match["month"]), int(match["day"])))
            except ValueError:
                continue
    return found.pop() if len(found) == 1 else None


def _refuse(sessions: sessionmaker[Session], drop: Drop, path: Path, why: Dropped, now: datetime) -> Dropped:
    _put_away(path, drop.folder / REFUSED, why.words, ending=".txt")
    _note(sessions, "list_dropped_refused", None, now)
    return why


def _put_away(path: Path, folder: Path, report: str, *, ending: str = ".json") -> None:
    """The report first, then the list: a kill between the two repeats the report and loses nothing."""
    target = _free(folder / safe_name(path.name))
    target.with_name(f"{target.name}{ending}").write_text(report, encoding="utf-8")
    path.rename(target)


def _free(path: Path) -> Path:
    """A path that no other list has; `liste (2).csv` when `liste.csv` is there."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return found


def _note(sessions: sessionmaker[Session], action: str, list_file_id: int | None, now: datetime) -> None:
    with writing(sessions) as session:
        trail.record(session, action, "list_file", list_file_id, by=None, now=now)
