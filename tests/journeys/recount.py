"""The rules of the operation in plain words of code, to recount what was played; it shares nothing with the program.

Each function returns what it finds broken, as sentences; an empty list is what is hoped for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from tests.journeys.events import Call, Events, Held, Step, Stop

HOLIDAYS = {
    date(2026, 11, 1),
    date(2026, 11, 11),
    date(2026, 12, 25),
    date(2027, 1, 1),
}
"""Public holidays of the ninety days, from the calendar on the wall."""
SLOTS = {
    "morning": [(time(10), time(12))],
    "midday": [(time(12), time(13)), (time(14), time(15))],
    "afternoon": [(time(15), time(17, 30))],
    "evening": [(time(17, 30), time(20))],
}
NOBODY_SPOKE = {
    "no_answer",
    "voicemail",
    "voicemail_own_name",
    "voicemail_other_name",
    "busy",
    "technical",
    "third_party",
    "wrong_number",
    "dead_number",
    "guardian_refusal",
}
"""Results after which the young person was not reached."""
TRIED_AGAIN_AT_ONCE = {"busy", "technical"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FUNNEL = ("to_contact", "contacted", "accompanied", "positive_exit")


def slot_of(call: Call) -> str | None:
    """The slot of a call's local time."""
    moment = call.local.time()
    return next(
        (name for name, spans in SLOTS.items() if any(start <= moment < end for start, end in spans)), None
    )


def is_unanswered(call: Call) -> bool:
    return call.result is None or call.result in NOBODY_SPOKE


def costs(call: Call) -> bool:
    """A promise that was kept and answered uses up nothing; every other call does."""
    return call.promise is None or is_unanswered(call)


def repeats(calls: list[Call]) -> set[int]:
    """The ids of the one quick repeat to which a busy or failed call has a right."""
    found: set[int] = set()
    for before, call in pairwise(calls):
        again = before.result in TRIED_AGAIN_AT_ONCE and before.id not in found
        if again and before.number == call.number and call.promise is None and call.at - before.at <= HOUR:
            found.add(call.id)
    return found


def outside_hours(events: Events) -> list[str]:
    """Calls outside the windows, at the weekend or on a holiday, where the young person lives."""
    broken = []
    for call in events.calls:
        local = call.local
        if slot_of(call) is None:
            broken.append(f"call {call.id} at {local:%H:%M} is outside the windows")
        if local.isoweekday() > 5 or local.date() in HOLIDAYS:
            broken.append(f"call {call.id} was made on {local:%A %d %B}")
    return broken


def outside_block(events: Events) -> list[str]:
    """Calls under a lease that was granted in another stretch of the day."""
    leases = {lease.token: lease for lease in events.leases}
    broken = []
    for call in events.calls:
        lease = leases.get(call.token)
        if lease is None:
            broken.append(f"call {call.id} has no lease")
        elif not lease.start <= call.at <= lease.end:
            broken.append(f"call {call.id} was not made under its lease")
    return broken


def to_those_who_said_stop(events: Events) -> list[str]:
    """Calls to a number after its opt-out, or to a person after their opposition."""
    return [
        *(
            f"call {c.id} to an opted-out number"
            for c in events.calls
            if _stopped(events.opt_outs, c.number, c)
        ),
        *(
            f"call {c.id} to somebody opposed"
            for c in events.calls
            if _stopped(events.oppositions, c.person, c)
        ),
    ]


def _stopped(stops: list[Stop], target: int | None, call: Call) -> bool:
    return any(stop.target == target and stop.start < call.at < stop.end for stop in stops)


def over_a_persons_cap(events: Events) -> list[str]:
    """More than one call a day, four in thirty days, eight since the person came in (again)."""
    broken = []
    for person, calls in events.by_person().items():
        free, births = repeats(calls), events.reopened.get(person, [])
        for position, call in enumerate(calls):
            if call.promise is not None:
                continue
            before = [other for other in calls[:position] if costs(other)]
            since = max((birth for birth in births if birth <= call.at), default=None)
            if sum(other.at > call.at - 30 * DAY for other in before) >= 4:
                broken.append(f"call {call.id}: person {person} called a fifth time in thirty days")
            if sum(since is None or other.at >= since for other in before) >= 8:
                broken.append(f"call {call.id}: person {person} called a ninth time")
            today = [o for o in before if o.local.date() == call.local.date() and o.id not in free]
            if call.id not in free and today:
                broken.append(f"call {call.id}: person {person} called twice on {call.local:%d %B}")
    return broken


def over_a_numbers_cap(events: Events) -> list[str]:
    """The same caps for a number, whoever was called on it."""
    free = {repeat for calls in events.by_person().values() for repeat in repeats(calls)}
    calls_to: dict[int, list[Call]] = defaultdict(list)
    broken = []
    for call in sorted(events.calls, key=lambda call: (call.at, call.id)):
        if call.number is None:
            continue
        before = [other for other in calls_to[call.number] if costs(other)]
        calls_to[call.number].append(call)
        if call.promise is not None:
            continue
        since = max((b for b in events.reopened.get(call.person, []) if b <= call.at), default=None)
        if sum(other.at > call.at - 30 * DAY for other in before) >= 4:
            broken.append(f"call {call.id}: number {call.number} rang a fifth time in thirty days")
        if sum(since is None or other.at >= since for other in before) >= 8:
            broken.append(f"call {call.id}: number {call.number} rang a ninth time")
        today = [o for o in before if o.local.date() == call.local.date() and o.id not in free]
        if call.id not in free and today:
            broken.append(f"call {call.id}: number {call.number} rang twice on {call.local:%d %B}")
    return broken


def same_hour_or_weekday_again(events: Events) -> list[str]:
    """After a call that nobody took: another slot until the four were tried, and another weekday."""
    broken = []
    for calls in events.by_person().values():
        free = repeats(calls)
        tried: set[str | None] = set()
        for before, call in pairwise(calls):
            if is_unanswered(before):
                tried.add(slot_of(before))
                if len(tried) == 4:
                    tried = set()
            if call.promise is not None or call.id in free:
                continue
            barred = tried | ({slot_of(before)} if is_unanswered(before) else set())
            if slot_of(call) in barred:
                broken.append(
                    f"call {call.id} again in the {slot_of(call)}, tried: {sorted(map(str, barred))}"
                )
            weekday = before.local.isoweekday() == call.local.isoweekday()
            if is_unanswered(before) and weekday and before.local.date() != call.local.date():
                broken.append(f"call {call.id} again on a {call.local:%A}")
    return broken


def promises_not_accounted_for(events: Events) -> list[str]:
    """Promises that are said to be kept and were not, or that nobody kept and that are not shown as missed."""
    calls = {call.id: call for call in events.calls}
    broken = []
    for promise in events.promises:
        kept_by = calls.get(promise.settled_by) if promise.settled_by is not None else None
        in_time = kept_by is not None and promise.at <= kept_by.at <= promise.at + HOUR
        if kept_by is not None and kept_by.at < promise.at:
            broken.append(f"promise {promise.id} was called before its time")
        if promise.state == "kept" and not in_time:
            broken.append(f"promise {promise.id} is not kept")
        if promise.state == "missed" and in_time:
            broken.append(f"promise {promise.id} was kept in time and is shown as missed")
        if promise.state == "promised" and promise.at + timedelta(minutes=80) < events.end:
            broken.append(f"promise {promise.id} of {promise.at} is neither kept nor shown as missed")
    return broken


def funnel_not_nested(events: Events) -> list[str]:
    """People who, at some moment, were in a stage without those before it, or dated before them."""
    broken = []
    held: dict[int, dict[str, datetime]] = defaultdict(dict)
    stage_of = {step.id: step for step in events.steps}
    for recorded_at, person, steps in _together(events):
        for step in steps:
            if step.reverses is None:
                held[person][step.stage] = step.at
            else:
                held[person].pop(stage_of[step.reverses].stage, None)
        for below, above in pairwise(FUNNEL):
            if above in held[person] and below not in held[person]:
                broken.append(f"person {person} was {above} and not {below} on {recorded_at}")
            elif above in held[person] and held[person][above] < held[person][below]:
                broken.append(f"person {person} was {above} before {below}")
    return broken


def _together(events: Events) -> Iterator[tuple[datetime, int, list[Step]]]:
    groups: dict[tuple[datetime, int], list[Step]] = defaultdict(list)
    for step in events.steps:
        groups[step.recorded_at, step.person].append(step)
    for (recorded_at, person), steps in sorted(groups.items(), key=lambda item: item[1][0].id):
        yield recorded_at, person, steps


def held_twice(events: Events) -> list[str]:
    """People, numbers or officers in two leases at once."""
    broken = _overlaps("person", ((lease.person, lease) for lease in events.leases))
    broken += _overlaps("officer", ((lease.officer, lease) for lease in events.leases))
    by_number = (
        (number, lease) for lease in events.leases for number in events.numbers.get(lease.person, ())
    )
    return broken + _overlaps("number", by_number)


def _overlaps(what: str, leases: Iterable[tuple[int, Held]]) -> list[str]:
    held: dict[int, list[Held]] = defaultdict(list)
    for target, lease in leases:
        held[target].append(lease)
    broken = []
    for target, several in held.items():
        several.sort(key=lambda lease: (lease.start, lease.end))
        for one, other in pairwise(several):
            if other.start < one.end:
                broken.append(f"{what} {target} leased twice at {other.start}")
    return broken


def calls_without_result(events: Events) -> list[str]:
    """Calls that nobody said the result of, and that no lease holds open."""
    unfinished = [call for call in events.calls if call.result is None and not call.was_corrected]
    return [f"call {call.id} has no result" for call in unfinished][events.open_turns :]
