"""Entering stages and taking them back, on both databases."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import changes, queries
from callcentre.funnel.stages import ORDER, Stage, is_nested, requires
from tests.funnel.ground import NOW, add_people, add_programme, add_user

HOUR = timedelta(hours=1)


@pytest.fixture
def programme_id(session: Session) -> int:
    return add_programme(session)[0]


@pytest.fixture
def person_id(session: Session, programme_id: int) -> int:
    return add_people(session, 1)[0]


def stages(session: Session, programme_id: int, person_id: int) -> list[Stage]:
    return [entered.stage for entered in queries.stages_of(session, programme_id, person_id)]


def test_an_inbound_call_contacts_someone_never_called(
    session: Session, programme_id: int, person_id: int
) -> None:
    officer = add_user(session)
    ids = changes.advance(
        session, programme_id=programme_id, person_id=person_id, stage=Stage.CONTACTED, at=NOW, now=NOW,
        cause="interested", by=officer, attempt_id=7,
    )  # fmt: skip
    path = queries.stages_of(session, programme_id, person_id)
    assert [(e.stage, e.cause, e.at, e.attempt_id) for e in path] == [
        (Stage.TO_CONTACT, "implied", NOW, 7),
        (Stage.CONTACTED, "interested", NOW, 7),
    ]
    assert [e.id for e in path] == ids


def test_the_same_stage_twice_adds_no_row(session: Session, programme_id: int, person_id: int) -> None:
    def contacted() -> list[int]:
        return changes.advance(
            session, programme_id=programme_id, person_id=person_id, stage=Stage.CONTACTED, at=NOW, now=NOW,
            cause="interested",
        )  # fmt: skip

    assert len(contacted()) == 2
    assert contacted() == []


def test_a_stage_is_never_dated_before_the_one_below(
    session: Session, programme_id: int, person_id: int
) -> None:
    for stage, at in ((Stage.CONTACTED, NOW - HOUR), (Stage.ACCOMPANIED, NOW - 5 * HOUR)):
        changes.advance(
            session, programme_id=programme_id, person_id=person_id, stage=stage, at=at, now=NOW, cause="test"
        )
    assert {e.at for e in queries.stages_of(session, programme_id, person_id)} == {NOW - HOUR}


def test_a_stage_of_the_future_is_refused(session: Session, programme_id: int, person_id: int) -> None:
    with pytest.raises(InvalidInput):
        changes.advance(
            session, programme_id=programme_id, person_id=person_id, stage=Stage.CONTACTED, at=NOW + HOUR,
            now=NOW,
            cause="test",
        )  # fmt: skip


def test_already_accompanied_elsewhere_bars_the_next_stages(
    session: Session, programme_id: int, person_id: int
) -> None:
    changes.advance(
        session, programme_id=programme_id, person_id=person_id, stage=Stage.ALREADY_ACCOMPANIED, at=NOW,
        now=NOW,
        cause="supported_elsewhere",
    )  # fmt: skip
    with pytest.raises(NotAllowed) as refusal:
        changes.advance(
            session, programme_id=programme_id, person_id=person_id, stage=Stage.ACCOMPANIED, at=NOW, now=NOW,
            cause="appointment_kept",
        )  # fmt: skip
    assert refusal.value.reason == "already_accompanied"
    assert stages(session, programme_id, person_id) == [
        Stage.TO_CONTACT, Stage.CONTACTED, Stage.ALREADY_ACCOMPANIED,
    ]  # fmt: skip


def test_undo_takes_back_exactly_what_the_event_added(
    session: Session, programme_id: int, person_id: int
) -> None:
    assert (
        changes.advance_many(session, programme_id=programme_id, person_ids=[person_id], at=NOW, now=NOW) == 1
    )
    ids = changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.CONTACTED,
        at=NOW,
        now=NOW,
        cause="x",
    )
    changes.reverse(session, ids, at=NOW + HOUR, by=None, cause="undo")
    assert stages(session, programme_id, person_id) == [Stage.TO_CONTACT]
    assert len(queries.path_of(session, programme_id, person_id)) == 3
    assert changes.reverse(session, ids, at=NOW + HOUR, by=None, cause="undo") == []


def test_undo_keeps_the_contact_on_which_a_later_event_rests(
    session: Session, programme_id: int, person_id: int
) -> None:
    contact = changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.CONTACTED,
        at=NOW,
        now=NOW,
        cause="x",
    )
    changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.ACCOMPANIED,
        at=NOW,
        now=NOW,
        cause="y",
    )
    assert changes.reverse(session, contact, at=NOW, by=None, cause="undo") == []
    assert stages(session, programme_id, person_id) == list(ORDER[:3])


def test_a_stage_can_be_entered_again_after_an_undo(
    session: Session, programme_id: int, person_id: int
) -> None:
    for _ in range(2):
        ids = changes.advance(
            session,
            programme_id=programme_id,
            person_id=person_id,
            stage=Stage.CONTACTED,
            at=NOW,
            now=NOW,
            cause="x",
        )
        assert len(ids) == 2
        changes.reverse(session, ids, at=NOW, by=None, cause="undo")
    assert stages(session, programme_id, person_id) == []


def test_a_reversal_is_not_reversed(session: Session, programme_id: int, person_id: int) -> None:
    ids = changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.TO_CONTACT,
        at=NOW,
        now=NOW,
        cause="list",
    )
    reversals = changes.reverse(session, ids, at=NOW, by=None, cause="undo")
    with pytest.raises(NotFound):
        changes.reverse(session, reversals, at=NOW, by=None, cause="undo")
    with pytest.raises(NotFound):
        changes.reverse(session, [999_999], at=NOW, by=None, cause="undo")


def test_a_list_makes_everybody_to_contact_once(session: Session, programme_id: int) -> None:
    people = add_people(session, 7)
    assert (
        changes.advance_many(session, programme_id=programme_id, person_ids=people[:4], at=NOW, now=NOW) == 4
    )
    assert changes.advance_many(session, programme_id=programme_id, person_ids=people, at=NOW, now=NOW) == 3
    assert queries.totals(session, programme_id)[Stage.TO_CONTACT] == 7


def test_any_play_keeps_people_nested_and_the_counts_true(session: Session, programme_id: int) -> None:
    draw = random.Random(11)
    people = add_people(session, 12)
    events: list[list[int]] = []
    for step in range(300):
        now = NOW + step * HOUR
        if events and draw.random() < 0.3:
            changes.reverse(session, events.pop(draw.randrange(len(events))), at=now, by=None, cause="undo")
            continue
        try:
            added = changes.advance(
                session, programme_id=programme_id, person_id=draw.choice(people),
                stage=draw.choice(list(Stage)),
                at=now - draw.randrange(48) * HOUR, now=now, cause="test",
            )  # fmt: skip
        except NotAllowed:
            continue
        events.append(added)
    held = {person: queries.stages_of(session, programme_id, person) for person in people}
    for path in held.values():
        dates = {e.stage: e.at for e in path}
        assert len(dates) == len(path)
        assert is_nested(dates)
        assert all(dates[below] <= at for stage, at in dates.items() for below in requires(stage))
    counts = queries.totals(session, programme_id)
    assert counts == {s: sum(any(e.stage is s for e in path) for path in held.values()) for s in Stage}
    assert [counts[stage] for stage in ORDER] == sorted((counts[stage] for stage in ORDER), reverse=True)
    assert counts[Stage.POSITIVE_EXIT] > 0
