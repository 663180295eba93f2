"""An office with the calls of half a year behind it, and the steps of its night."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from callcentre.callqueue.models import Lane, QueueEntry
from callcentre.desk.context import Desk
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.models import PersonNumber
from callcentre.planning import refit
from callcentre.planning.counting import count_calls
from callcentre.planning.eligibility import reconsider
from callcentre.planning.models import CallHistory, RetryLearning
from tests.builders import FIRST_NAMES, a_number
from tests.contracts.conftest import Office

RESULTS = (
    ("no_answer", "no_answer"),
    ("voicemail", "no_answer"),
    ("third_party", "third_party"),
    ("interested", "callback"),
    ("technical", "technical"),
    ("wrong_number", "wrong_number"),
    ("out_of_scope", "done"),
    (None, None),
)


def play(office: Office, *, people: int = 30, seed: int = 1, hints: bool = False) -> list[int]:
    """People with calls of the last half year, some to guardians, some taken back, some received.

    `hints`: some who answered for them named an hour.
    """
    random_, of_hints = random.Random(seed), random.Random(seed)
    made = [
        office.add(
            FIRST_NAMES[n % len(FIRST_NAMES)],
            family_name=f"Appris{n}",
            guardian_numbers=[a_number()] if random_.random() < 0.4 else [],
            territory=office.world.programme.territories[n % 9].code,
        )
        for n in range(people)
    ]

    def write(session: Session, desk: Desk) -> None:
        entries = dict(session.execute(select(QueueEntry.person_id, QueueEntry.id)).all())
        numbers: dict[int, list[Any]] = {}
        for link in session.scalars(select(PersonNumber).order_by(PersonNumber.position)):
            numbers.setdefault(link.person_id, []).append(link)
        for one in made:
            for row in _calls(office, desk, one, entries[one], numbers[one], random_):
                made_id = session.scalar(insert(Attempt).returning(Attempt.id), row)
                if hints and row["retry_kind"] == "third_party" and of_hints.random() < 0.5:
                    session.execute(insert(Callback), [_named(desk, row, made_id, of_hints)])
        opened = office.now - timedelta(days=200)
        session.execute(update(QueueEntry).values(opened_at=opened))
        reconsider(session, desk.programme, desk.programme_id, made, now=office.now)

    office.write(write)
    return made


def _named(desk: Desk, row: dict[str, Any], attempt: int | None, random_: random.Random) -> dict[str, Any]:
    """The hour at which somebody who answered said to call, as a promise that was kept since."""
    day = row["local_date"] + timedelta(days=1)
    block = random_.choice(
        list(islice(desk.policy.hours.blocks_from(_noon(day), desk.programme.tz, days=7), 6))
    )
    return {
        "programme_id": row["programme_id"],
        "entry_id": row["entry_id"],
        "person_id": row["person_id"],
        "promised_at": block.start,
        "promised_by": row["officer_id"],
        "promised_in": attempt,
        "created_at": row["ended_at"],
        "state": "kept",
        "settled_at": block.start,
    }


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _calls(
    office: Office, desk: Desk, one: int, entry: int, numbers: list[Any], random_: random.Random
) -> Iterator[dict[str, Any]]:
    for turn, ago in enumerate(sorted(random_.sample(range(1, 180), random_.randint(0, 5)), reverse=True)):
        day = (office.now - timedelta(days=ago)).date()
        blocks = desk.policy.hours.blocks_on(day, desk.programme.tz)
        if not blocks:
            continue
        block = random_.choice(blocks)
        link = random_.choice(numbers)
        disposition, kind = random_.choice(RESULTS)
        at = block.start + timedelta(minutes=random_.randrange(30))
        yield {
            "programme_id": desk.programme_id,
            "entry_id": entry,
            "person_id": one,
            "number_id": link.number_id,
            "owner": link.owner,
            "officer_id": office.user("officer"),
            "lease_token": f"{one}-{turn}",
            "sequence": 1,
            "lane": 4,
            "direction": "inbound" if random_.random() < 0.1 else "outbound",
            "started_at": at,
            "ended_at": at,
            "slot": block.slot.value,
            "local_date": day,
            "disposition": disposition,
            "retry_kind": kind,
            "corrected_at": at if random_.random() < 0.1 else None,
        }


def note_calls(office: Office, person_id: int, calls: Sequence[dict[str, Any]]) -> None:
    """Calls to somebody this morning, a day apart; of each only what is said: the rest is that of nobody answering."""

    def write(session: Session, desk: Desk) -> None:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
        known = session.scalar(select(func.count()).where(Attempt.person_id == person_id)) or 0
        for turn, call in enumerate(calls, start=known):
            at = office.now - timedelta(days=3 + turn)
            usual = {
                "programme_id": desk.programme_id,
                "owner": "young_person",
                "direction": "outbound",
                "lane": int(Lane.ORDINARY),
            }
            result = {"disposition": "no_answer", "retry_kind": "no_answer", "ended_at": at}
            row: dict[str, Any] = usual | result | {"started_at": at, "slot": "morning"} | call
            attempt = Attempt(
                entry_id=entry.id,
                person_id=person_id,
                officer_id=office.user("officer"),
                lease_token=f"{person_id}-{turn}",
                local_date=row["started_at"].date(),
                **row,
            )
            session.add(attempt)

    office.write(write)


def a_promise(office: Office, person_id: int) -> int:
    """A time that was agreed with somebody, and kept."""

    def write(session: Session, desk: Desk) -> int:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
        at = office.now - timedelta(days=10)
        callback = Callback(
            programme_id=desk.programme_id,
            entry_id=entry.id,
            person_id=person_id,
            promised_at=at,
            created_at=at,
            state=CallbackState.KEPT,
        )
        session.add(callback)
        session.flush()
        return callback.id

    return office.write(write)


def count(office: Office) -> int:
    return count_calls(
        office.runtime.sessions, office.runtime.programme, office.world.programme_id, office.now
    )


def counted(office: Office) -> dict[int, tuple[int, ...]]:
    columns = [
        getattr(CallHistory, f"{kind}_{place}") for kind in ("unanswered", "answered") for place in range(5)
    ]
    rows = office.read(lambda s, _: s.execute(select(CallHistory.person_id, *columns)).all())
    return {row[0]: tuple(row[1:]) for row in rows}


def learning(office: Office) -> Any:
    columns = (RetryLearning.fit_id, RetryLearning.counted_person, RetryLearning.planned_entry)
    return office.read(lambda s, _: s.execute(select(*columns)).one())


def fit(office: Office, *, by_hand: bool = True) -> int | None:
    runtime = office.runtime
    return refit.fit_again(
        runtime.sessions, runtime.programme, office.world.programme_id, office.now, by_hand=by_hand
    )
