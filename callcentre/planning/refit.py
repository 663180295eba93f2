"""The night's learning: calls counted, numbers fitted to them, everybody's next hour chosen anew by the new numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.directory import queries as directory
from callcentre.outreach.models import Attempt
from callcentre.planning.blocks import plan_anew
from callcentre.planning.counting import CONTACTS, count_calls, groups_of, plain_calls, seconds_of
from callcentre.planning.fits import fit_in_force, keep, learning_of, made_nightly
from callcentre.planning.models import FitSource
from callcentre.planning.replan import replan
from callcentre.programmes import Programme
from callcentre.retry.learning import Group, refit
from callcentre.retry.learnt import is_control
from callcentre.retry.profiles import Fit
from callcentre.retry.windows import local_midnight
from callcentre.tuning import RetryTuning


def learn(sessions: sessionmaker[Session], programmes: Iterable[Programme], now: datetime) -> dict[str, int]:
    """Do the night's work for every programme; return how many people each planned anew.

    Cut off anywhere, the next start goes on from there: counting and planning remember the last person done, and no
    programme is fitted twice in a night. Raises ExceptionGroup, once all were tried, with what made some of them fail.
    """
    planned: dict[str, int] = {}
    failures: list[Exception] = []
    for programme in programmes:
        try:
            planned[programme.code] = learn_one(sessions, programme, now)
        except Exception as failure:
            failure.add_note(programme.code)
            failures.append(failure)
    if failures:
        raise ExceptionGroup("the night of some programmes failed", failures)
    return planned


def learn_one(sessions: sessionmaker[Session], programme: Programme, now: datetime) -> int:
    """Do one programme's night: count, fit unless frozen, plan everybody by the numbers in force."""
    with reading(sessions) as session:
        programme_id = directory.programme_id(session, programme.code)
    tuning = programme.constants
    if programme_id is None or tuning is None:
        return 0
    count_calls(sessions, programme, programme_id, now)
    fit_again(sessions, programme, programme_id, now)
    return _follow(sessions, programme, programme_id, now)


def follow(sessions: sessionmaker[Session], programmes: Iterable[Programme], now: datetime) -> dict[str, int]:
    """Plan everybody anew where another version came into force since; return how many changed, by programme."""
    changed = {}
    for programme in programmes:
        with reading(sessions) as session:
            programme_id = directory.programme_id(session, programme.code)
        if programme_id is not None and programme.constants is not None:
            changed[programme.code] = _follow(sessions, programme, programme_id, now)
    return changed


def _follow(sessions: sessionmaker[Session], programme: Programme, programme_id: int, now: datetime) -> int:
    """Let everybody's hour follow the version in force, and whoever is ready by another one step back."""
    changed = replan(sessions, programme, programme_id, now)
    if changed:
        with writing(sessions) as session:
            plan_anew(session, programme, now=now)
    return changed


def fit_again(
    sessions: sessionmaker[Session],
    programme: Programme,
    programme_id: int,
    now: datetime,
    *,
    by_hand: bool = False,
) -> int | None:
    """Fit the numbers to what was counted and put them in force; None when learning is off, frozen or without calls.

    The night's fit is made once a day (None again), however often its work is taken up; one by hand whenever it is
    asked for. Nobody waits while they are fitted: only the new version is written.
    """
    tuning = programme.constants
    if tuning is None or not tuning.learns or tuning.preference == "rotation":
        return None
    midnight = local_midnight(now.astimezone(programme.tz).date(), programme.tz)
    with reading(sessions) as session:
        if not by_hand and made_nightly(session, programme_id, since=midnight):
            return None
        found = _fitted(session, programme, programme_id, tuning, now)
    if found is None:
        return None
    fit, basis = found
    source = FitSource.BY_HAND if by_hand else FitSource.NIGHTLY
    with writing(sessions) as session:
        if learning_of(session, programme_id).frozen_at is not None:
            return None
        return keep(session, programme_id, fit, source=source, basis=basis, now=now)


def _fitted(
    session: Session, programme: Programme, programme_id: int, tuning: RetryTuning, now: datetime
) -> tuple[Fit, dict[str, Any]] | None:
    """The next numbers and what they rest on; None without calls."""
    today = now.astimezone(programme.tz).date()
    groups = groups_of(session, programme_id, tuning, today)
    if not groups:
        return None
    seconds = seconds_of(session, programme_id, tuning, today)
    previous = fit_in_force(session, programme, programme_id)
    fit = refit(previous, groups, seconds, tuning=tuning, today=today)
    basis = basis_of(groups, plain_calls(session, programme_id), tuning)
    if tuning.control_share:
        basis["arms"] = _arms(session, programme_id, tuning)
    return fit, basis


def _arms(session: Session, programme_id: int, tuning: RetryTuning) -> dict[str, dict[str, int]]:
    """People called, people who answered in person, and calls: those kept on rotation against the others."""
    answered = case(
        (Attempt.retry_kind.in_(CONTACTS) & Attempt.corrected_at.is_(None), 1),
        else_=0,
    )
    rows = session.execute(
        select(Attempt.person_id, func.count(), func.max(answered))
        .where(Attempt.programme_id == programme_id, Attempt.direction == "outbound")
        .group_by(Attempt.person_id)
    )
    arms = {name: {"people": 0, "contacted": 0, "calls": 0} for name in ("control", "learnt")}
    for person_id, calls, reached in rows:
        arm = arms["control" if is_control(person_id, tuning) else "learnt"]
        arm["people"] += 1
        arm["contacted"] += reached
        arm["calls"] += calls
    return arms


def basis_of(
    groups: Iterable[Group], calls: tuple[list[int], list[int]], tuning: RetryTuning
) -> dict[str, Any]:
    """What a fit rests on, in plain counts: people, and the calls and answers on their own numbers by slot."""
    made, answered = calls
    return {
        "people": sum(int(group.people) for group in groups),
        "calls": made,
        "answers": answered,
        "half_life_days": tuning.half_life_days,
    }
