"""Making a new database a demonstration, and playing more days into one that is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.models import LeaseLog, Turn
from callcentre.database import reading, writing
from callcentre.demo import team
from callcentre.demo.history import CALLS_PER_DAY, DEFAULT_SEED, Played, play
from callcentre.demo.refusals import CannotPlay, NotADemo
from callcentre.directory import queries as directory
from callcentre.directory.models import Installation
from callcentre.directory.programmes import is_demo as is_marked
from callcentre.directory.programmes import mark_as_demo, synchronise
from callcentre.errors import ConfigurationError
from callcentre.funnel.models import StageChange
from callcentre.intake import importing
from callcentre.intake.kinds import ListState
from callcentre.intake.mapping import load_column_words
from callcentre.intake.models import ListFile
from callcentre.intake.preparing import PreparedList
from callcentre.intake.preparing import prepare as prepare_list
from callcentre.outreach.models import Attempt
from callcentre.people.models import YoungPerson
from callcentre.runtime import Runtime

LIST_NAME = "liste_siei.csv"
LIST_DATE = date(2026, 11, 15)
"""The sample list's own date; a playing that begins earlier dates the list from its first day."""
HISTORY_DAYS = 56
"""How much history a new demonstration has: long enough for appointments to be kept and solutions to begin."""
CALLS_PER_DAY_AT_START = 40
"""The team's calls of a day in that history: fewer than usual, so that the first start takes a minute or two."""
_BEGAN, _DONE = "demo_began", "demo_history"
Tell = Callable[[str, int, int], None]
"""Told on the way: what is being done, how much of it is done, how much there is."""


def prepare(runtime: Runtime) -> list[str]:
    """Give a new database the fictitious list, the team and some weeks of history; return the logins in words.

    A demonstration is left as it is (one that was cut off is gone on with), and so is any other database.
    """
    if runtime.settings.mode != "offline":
        return []
    with reading(runtime.sessions) as session:
        if not is_demo(session):
            return []
    began = _begin(runtime, HISTORY_DAYS)
    _import_list(runtime, began, tell=_tell)
    if _kept(runtime, _DONE) is None:
        start = max(began, _latest(runtime) or began)
        _play(
            runtime,
            start,
            runtime.clock.now(),
            seed=DEFAULT_SEED,
            calls_per_day=CALLS_PER_DAY_AT_START,
            tell=_tell,
        )
        _keep(runtime, _DONE, runtime.clock.now().isoformat())
    return team.logins()


def play_days(
    runtime: Runtime,
    *,
    days: int,
    seed: int = DEFAULT_SEED,
    calls_per_day: int = CALLS_PER_DAY,
    forward: bool = False,
    tell: Tell | None = None,
) -> Played:
    """Play `days` days that end at the database's now, after what it has already; `forward` plays beyond it.

    A new database becomes a demonstration first. Raises NotADemo for one that is none, and CannotPlay when the
    history it has leaves no time before its now.
    """
    with reading(runtime.sessions) as session:
        if runtime.settings.mode != "offline" or not is_demo(session):
            raise NotADemo
    began = _begin(runtime, 0 if forward else days)
    tell = tell or (lambda _what, _done, _all: None)
    _import_list(runtime, began, tell=tell)
    latest = _latest(runtime) or began
    end = latest + timedelta(days=days) if forward else max(runtime.clock.now(), latest)
    start = max(end - timedelta(days=days), latest)
    if end - start < min(timedelta(days=days), timedelta(hours=1)):
        local = latest.astimezone(runtime.programme.tz)
        raise CannotPlay(
            f"This database has work until {local:%Y-%m-%d %H:%M} already, so no time is left to play before its "
            "now. Use a new database (CALLCENTRE_DATA_DIR=another-folder), or --forward to play the days that "
            "follow; its clock then goes on from there."
        )
    played = _play(runtime, start, end, seed=seed, calls_per_day=calls_per_day, tell=tell)
    _keep(runtime, _DONE, end.isoformat())
    return played


def is_demo(session: Session) -> bool:
    """Tell whether this database is a demonstration, or so new that `prepare` will make it one."""
    return is_marked(session) or _is_new(session)


def latest_event_at(session: Session) -> datetime | None:
    """Return the instant of the last thing that happened here, None when nothing has."""
    instants = (
        session.scalar(select(func.max(column)))
        for column in (
            Attempt.started_at,
            Attempt.ended_at,
            LeaseLog.ended_at,
            Turn.renewed_at,
            StageChange.recorded_at,
            ListFile.finished_at,
            ListFile.uploaded_at,
        )
    )
    return max((instant for instant in instants if instant is not None), default=None)


# ---- steps; each may have been done by a start that was cut off


def _begin(runtime: Runtime, days: int) -> datetime:
    """Mark a new database and give it its team; return the instant at which its history begins."""
    known = _kept(runtime, _BEGAN)
    if known is not None:
        return datetime.fromisoformat(known)
    now, zone = runtime.clock.now(), runtime.programme.tz
    first_day = now.astimezone(zone).date() - timedelta(days=days)
    began = min(now, datetime.combine(first_day, time(8), zone))
    with writing(runtime.sessions) as session:
        synchronise(session, runtime.programmes.values())
        programme_id = directory.programme_id(session, runtime.programme.code)
        assert programme_id is not None
        team.create(session, programme_id=programme_id, now=began)
        mark_as_demo(session)
        session.merge(Installation(key=_BEGAN, value=began.isoformat()))
    return began


def _import_list(runtime: Runtime, began: datetime, *, tell: Tell) -> None:
    """Import the sample list through the intake, unless that was done."""
    with reading(runtime.sessions) as session:
        if session.scalar(select(ListFile.id).where(ListFile.state == ListState.IMPORTED).limit(1)):
            return
    prepared = _sample(runtime, min(LIST_DATE, began.astimezone(runtime.programme.tz).date()))
    with writing(runtime.sessions) as session:
        list_file_id = importing.receive(session, prepared, programme=runtime.programme, now=began)
    importing.run(
        runtime.sessions,
        list_file_id,
        programmes=runtime.programmes,
        now=began,
        prepared=prepared,
        report=lambda done, whole: tell("rows of the fictitious list", done, whole),
    )


def _sample(runtime: Runtime, list_date: date) -> PreparedList:
    file = runtime.settings.config_dir / "demo" / LIST_NAME
    remedy = "Restore it from the project."
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            file=str(file), key="(file)", problem=f"{error.strerror}.", remedy=remedy
        ) from error
    words = load_column_words(runtime.settings.config_dir / "list_columns.toml")
    prepared = prepare_list(content, file.name, programme=runtime.programme, list_date=list_date, words=words)
    if not isinstance(prepared, PreparedList):
        raise ConfigurationError(file=str(file), key="(file)", problem=prepared.fr, remedy=remedy)
    return prepared


def _play(
    runtime: Runtime, start: datetime, end: datetime, *, seed: int, calls_per_day: int, tell: Tell
) -> Played:
    return play(
        runtime,
        start=start,
        end=end,
        seed=seed,
        calls_per_day=calls_per_day,
        report=lambda done, whole: tell("working days", done, whole),
    )


def _is_new(session: Session) -> bool:
    return not any(session.scalar(select(table.id).limit(1)) for table in (User, YoungPerson))


def _latest(runtime: Runtime) -> datetime | None:
    with reading(runtime.sessions) as session:
        return latest_event_at(session)


def _kept(runtime: Runtime, key: str) -> str | None:
    with reading(runtime.sessions) as session:
        row = session.get(Installation, key)
        return None if row is None else row.value


def _keep(runtime: Runtime, key: str, value: str) -> None:
    with writing(runtime.sessions) as session:
        session.merge(Installation(key=key, value=value))


def _tell(what: str, done: int, whole: int) -> None:
    """Say how far the preparation is, on one line of a terminal; elsewhere only that it is done."""
    line = f"Preparing the demonstration: {done} of {whole} {what}."
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line:<78}" + ("\n" if done >= whole else ""))
    elif done >= whole:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
