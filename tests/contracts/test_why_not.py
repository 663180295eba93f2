"""One answer to "why not now, and when": the same for a page of people as for each of them, and never a stale one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event, select

from callcentre.callqueue.models import QueueEntry
from callcentre.desk import corrections, serving, why_not
from callcentre.desk.card import person
from callcentre.retry.reasons import ReasonCode
from tests.builders import a_number
from tests.contracts.conftest import Office


def answers(office: Office, people: list[int]) -> dict[int, why_not.Answer]:
    return office.read(lambda s, d: why_not.answers(s, d, people, now=office.now))


def everybody(office: Office) -> list[int]:
    """Somebody in each situation that the queue knows."""
    shared = a_number()
    people = []
    results: tuple[tuple[str, dict[str, Any]], ...] = (
        ("no_answer", {}),
        ("call_back", {"callback_at": office.now + timedelta(hours=1)}),
        ("has_solution", {}),
    )
    for disposition, fields in results:
        lease = office.take()
        office.call(lease)
        office.say(lease, disposition, **fields)
        people.append(lease.person_id)
    siblings = [office.add(name, numbers=[shared]) for name in ("Ada", "Éva")]
    held = office.write(
        lambda s, d: serving.open_card(s, d, siblings[0], officer_id=office.user("officer"), now=office.now)
    )
    office.call(held)
    passed_over = office.add("Malo")
    lease = office.write(
        lambda s, d: serving.open_card(s, d, passed_over, officer_id=office.user("colleague"), now=office.now)
    )
    office.write(lambda s, _: serving.release(s, lease.token, officer_id=lease.officer_id, now=office.now))
    opposed = office.add("Jade")
    office.write(
        lambda s, d: corrections.oppose(
            s, d, opposed, source="office", by=office.user("officer"), now=office.now
        )
    )
    return [*people, *siblings, passed_over, opposed, office.add("Noé", numbers=[])]


def test_a_page_of_people_is_answered_as_each_of_them_is(office: Office) -> None:
    people = everybody(office)
    for wait in (timedelta(), timedelta(hours=3), timedelta(days=1), timedelta(days=40)):
        office.clock.advance(wait)
        together = answers(office, people)
        assert together.keys() == set(people)
        for one in people:
            alone = office.read(lambda s, d, one=one: person(s, d, one, now=office.now))  # type: ignore[misc]
            assert (together[one].reason, together[one].when) == (alone.why_not_now, alone.when)
    assert {a.reason.code for a in together.values()} >= {ReasonCode.CLOSED, ReasonCode.TO_SETTLE}


def test_a_stored_reason_that_has_passed_is_not_shown(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "busy")
    who = lease.person_id
    assert answers(office, [who])[who].reason.code is ReasonCode.QUICK_RETRY
    office.later(minutes=20)
    assert answers(office, [who])[who].reason.code is ReasonCode.READY
    office.later(hours=2)
    with office.runtime.sessions() as session:
        stored = session.scalars(select(QueueEntry.reason).where(QueueEntry.person_id == who)).one()
        assert stored["code"] == "quick_retry"
    now = answers(office, [who])[who]
    assert now.reason.code is not ReasonCode.QUICK_RETRY
    assert now.when is not None
    assert now.when > office.now


def test_a_page_takes_a_few_queries_however_many_people_it_shows(office: Office) -> None:
    people = [office.add(f"Lina{n}") for n in range(60)]

    def asked(some: list[int]) -> int:
        seen: list[str] = []
        engine = office.runtime.engine
        note = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", note)
        answers(office, some)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    assert asked(people) == asked(people[:2])
