"""Ninety played days, recounted from the events by code that shares nothing with the rules that decided them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.journeys import recount
from tests.journeys.events import Call, Events, Stop

pytestmark = pytest.mark.slow

RULES: tuple[Callable[[Events], list[str]], ...] = (
    recount.outside_hours,
    recount.outside_block,
    recount.to_those_who_said_stop,
    recount.over_a_persons_cap,
    recount.over_a_numbers_cap,
    recount.same_hour_or_weekday_again,
    recount.promises_not_accounted_for,
    recount.funnel_not_nested,
    recount.held_twice,
    recount.calls_without_result,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_is_broken_in_ninety_days(played: Events, rule: Callable[[Events], list[str]]) -> None:
    assert rule(played) == []


def test_the_ninety_days_hold_what_the_rules_are_about(played: Events) -> None:
    results = Counter(call.result for call in played.calls)
    assert len(played.calls) > 800
    assert len({call.local.date() for call in played.calls}) > 55
    assert {"no_answer", "voicemail", "busy", "technical", "third_party", "wrong_number"} <= results.keys()
    assert {"dead_number", "interested", "appointment", "not_now", "opposition"} <= results.keys()
    calls_each = Counter(call.person for call in played.calls)
    assert max(calls_each.values()) >= 6
    assert sum(len(recount.repeats(calls)) for calls in played.by_person().values()) >= 3
    assert {"kept", "missed"} <= {promise.state for promise in played.promises}
    assert {"closed", "released", "skipped", "expired", "settled"} <= {
        lease.ending for lease in played.leases
    }
    assert any(call.was_corrected for call in played.calls)
    assert played.oppositions
    assert played.opt_outs
    assert played.reopened
    assert any(call.zone.key == "Indian/Reunion" for call in played.calls)
    assert {step.stage for step in played.steps} >= set(recount.FUNNEL)
    users = Counter(number for numbers in played.numbers.values() for number in numbers)
    shared = {number for number, count in users.items() if count > 1}
    assert sum(call.number in shared for call in played.calls) > 20


def test_exits_are_within_accompanied_within_contacted_within_to_contact(played: Events) -> None:
    taken_back = {step.reverses for step in played.steps if step.reverses is not None}
    within = [
        {s.person for s in played.steps if s.stage == stage and s.reverses is None and s.id not in taken_back}
        for stage in recount.FUNNEL
    ]
    to_contact, contacted, accompanied, exits = within
    assert exits < accompanied < contacted < to_contact
    spoke = {call.person for call in played.calls if not recount.is_unanswered(call)}
    assert contacted <= spoke


# ---- the recount itself sees what is wrong


def _with_call(events: Events, change: Callable[[Call], Call]) -> Events:
    first = next(call for call in events.calls if call.promise is None)
    return replace(events, calls=[change(first) if call is first else call for call in events.calls])


def _at(call: Call, **time: int) -> Call:
    return replace(call, at=call.local.replace(**time))  # type: ignore[arg-type]


def _called_again(events: Events, after: timedelta, **changes: object) -> Events:
    first = next(c for c in events.calls if c.result == "no_answer" and c.promise is None)
    again = replace(first, id=10**9, at=first.at + after, **changes)  # type: ignore[arg-type]
    return replace(events, calls=[*events.calls, again])


def _with_lease_twice(events: Events) -> Events:
    one = max(events.leases, key=lambda lease: lease.end - lease.start)
    return replace(events, leases=[*events.leases, replace(one, token="again", officer=999, start=one.start)])


def _said_stop(events: Events, kind: str, target: Callable[[Call], int | None]) -> Events:
    call = events.calls[0]
    who = target(call)
    assert who is not None
    stop = Stop(who, call.at - timedelta(hours=1), events.end)
    return replace(events, **{kind: [stop]})  # type: ignore[arg-type]


def _kept_late(events: Events) -> Events:
    kept = next(promise for promise in events.promises if promise.state == "kept")
    late = replace(kept, at=kept.at - timedelta(hours=2))
    return replace(events, promises=[late if promise is kept else promise for promise in events.promises])


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        (recount.outside_hours, lambda e: _with_call(e, lambda c: _at(c, hour=13, minute=30))),
        (recount.outside_hours, lambda e: _with_call(e, lambda c: _at(c, month=11, day=11, hour=10))),
        (recount.outside_hours, lambda e: _with_call(e, lambda c: _at(c, month=10, day=25, hour=10))),
        (recount.outside_block, lambda e: _with_call(e, lambda c: replace(c, at=c.at + timedelta(hours=6)))),
        (recount.to_those_who_said_stop, lambda e: _said_stop(e, "opt_outs", lambda c: c.number)),
        (recount.to_those_who_said_stop, lambda e: _said_stop(e, "oppositions", lambda c: c.person)),
        (recount.over_a_persons_cap, lambda e: _called_again(e, timedelta(hours=3))),
        (recount.over_a_numbers_cap, lambda e: _called_again(e, timedelta(hours=3), person=0)),
        (recount.same_hour_or_weekday_again, lambda e: _called_again(e, timedelta(days=7))),
        (recount.promises_not_accounted_for, _kept_late),
        (
            recount.funnel_not_nested,
            lambda e: replace(e, steps=[s for s in e.steps if s.stage != "contacted"]),
        ),
        (recount.held_twice, _with_lease_twice),
        (recount.calls_without_result, lambda e: _with_call(e, lambda c: replace(c, result=None))),
    ],
)
def test_the_recount_sees_a_planted_breach(
    played: Events, rule: Callable[[Events], list[str]], plant: Callable[[Events], Events]
) -> None:
    assert rule(plant(played)) != []
