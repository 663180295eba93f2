"""Counts against a count by hand, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session

from callcentre.errors import NotAllowed
from callcentre.funnel import changes, queries
from callcentre.funnel.stages import Stage
from tests.funnel.ground import NOW, add_people, add_programme, add_user

DAY = timedelta(days=1)


def play(session: Session, programme_id: int, officers: list[int], people: list[int]) -> None:
    draw = random.Random(3)
    for _ in range(120):
        try:
            added = changes.advance(
                session, programme_id=programme_id, person_id=draw.choice(people),
                stage=draw.choice(list(Stage)),
                at=NOW - draw.randrange(60) * DAY, now=NOW, cause="test", by=draw.choice(officers),
            )  # fmt: skip
        except NotAllowed:
            continue
        if draw.random() < 0.25:
            changes.reverse(session, added, at=NOW, by=None, cause="undo")


def test_counts_agree_with_a_count_by_hand(session: Session) -> None:
    programme_id, _ = add_programme(session)
    officers = [add_user(session, name) for name in ("lea", "tom")]
    people = add_people(session, 30)
    play(session, programme_id, officers, people)
    entries = [(p, e) for p in people for e in queries.stages_of(session, programme_id, p)]
    by_hand = Counter((e.recorded_by, e.stage) for _, e in entries)
    by_officer = queries.by_officer(session, programme_id)
    assert {(o, s): n for o, counts in by_officer.items() for s, n in counts.items() if n} == by_hand

    bounds = [NOW - 40 * DAY, NOW - 21 * DAY, NOW - 20 * DAY, NOW]
    timeline = queries.timeline(session, programme_id, bounds)
    for stage in Stage:
        dates = [e.at for _, e in entries if e.stage is stage]
        assert timeline.total(stage) == len(dates) == queries.totals(session, programme_id)[stage]
        for start in bounds:
            assert timeline.before(stage, start) == sum(at < start for at in dates)
            for end in bounds:
                between = sum(start <= at < end for at in dates)
                assert start > end or timeline.between(stage, start, end) == between


def test_another_programme_s_people_do_not_count(session: Session) -> None:
    programme_id, _ = add_programme(session)
    person = add_people(session, 1)[0]
    changes.advance(
        session,
        programme_id=programme_id,
        person_id=person,
        stage=Stage.CONTACTED,
        at=NOW,
        now=NOW,
        cause="x",
    )
    assert not any(queries.totals(session, programme_id + 1).values())
    assert queries.stages_of(session, programme_id + 1, person) == ()


def test_every_count_is_one_query(session: Session) -> None:
    programme_id, _ = add_programme(session)
    seen: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    queries.totals(session, programme_id)
    queries.by_officer(session, programme_id)
    queries.timeline(session, programme_id, [NOW - n * 7 * DAY for n in range(60)])
    assert len(seen) == 3


def test_the_furthest_stage_names_where_somebody_is() -> None:
    assert queries.furthest([]) is Stage.TO_CONTACT
    assert queries.furthest([Stage.TO_CONTACT, Stage.GUARDIAN_REACHED]) is Stage.TO_CONTACT
    assert queries.furthest([Stage.TO_CONTACT, Stage.CONTACTED, Stage.ALREADY_IN_SOLUTION]) is (
        Stage.ALREADY_IN_SOLUTION
    )
