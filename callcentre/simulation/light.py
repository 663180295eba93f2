"""The light simulation: the pure retry rule on people in memory, without a database.

It asks the same questions in the same order as the program does: whose hour has passed is asked about again, no more of
them than there is room for; whose hour it is goes first; when nobody's is, whoever the hard rules permit. Territories,
officers and leases are left out: they decide who calls whom, not when.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import ceil

from callcentre.demo.temperaments import Ring
from callcentre.dispositions import RetryKind
from callcentre.planning.eligibility import Noting
from callcentre.planning.states import eighteenth_birthday
from callcentre.retry.learnt import ANSWERED, history_of
from callcentre.retry.plan import CallAgain, NextStep, OtherRoute, Permission, Stop, may_call, next_attempt
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Option
from callcentre.retry.rules import CallKind
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.waiting import Load, after_block
from callcentre.retry.windows import Block
from callcentre.simulation.arms import Arm
from callcentre.simulation.capacity import Room
from callcentre.simulation.learning import Lessons
from callcentre.simulation.population import Dial, Line, Population, Someone, Telephone, repaired
from callcentre.simulation.record import Made, Year, summarise
from callcentre.simulation.talk import FAILED, LATE_ENDS, UNANSWERED, Said, Talks

Report = Callable[[int, int], None]
"""Told on the way: days played, days in all."""
_DAY = timedelta(days=1)


def play(arm: Arm, population: Population, *, report: Report | None = None) -> Year:
    """Play one arm on a population from the first day of its period to the last."""
    return _Game(arm, population).play(report)


@dataclass
class _Life:
    """One young person on their way through the queue."""

    someone: Someone
    segment: str
    opened_at: datetime
    eighteen_on: date
    attempts: list[PastAttempt] = field(default_factory=list)
    numbers: list[NumberState] = field(default_factory=list)
    preferred_at: datetime | None = None
    preferred_until: datetime | None = None
    eligible_at: datetime | None = None
    eligible_until: datetime | None = None
    number_id: int = 0
    priority: int = 1
    value: float = 0.0
    dials: int = 0
    closed: str | None = None
    reached: bool = False
    promised_at: datetime | None = None
    promised_on: int = 0
    retried: bool = False
    guardian_told_in: Slot | None = None
    opposed: bool = False
    reopened: list[datetime] = field(default_factory=list)

    def state(self, zone: object) -> PersonState:
        """What the rules see."""
        return PersonState(
            person_id=self.someone.index + 1,
            zone=zone,  # type: ignore[arg-type]
            numbers=tuple(self.numbers),
            attempts=tuple(self.attempts),
            opened_at=self.opened_at,
            eighteen_on=self.eighteen_on,
            opposed=self.opposed,
            ever_reached=self.reached,
            segment=self.segment,
        )

    def line(self, number_id: int) -> Line:
        """Which line a number is."""
        return _LINES[number_id % 3]

    @property
    def waits(self) -> bool:
        """Whether the plan may call: not closed, no time promised."""
        return self.closed is None and self.promised_at is None


_LINES = (Line.OWN, Line.GUARDIAN, Line.FOUND)


class _Game:
    """One year of one arm."""

    def __init__(self, arm: Arm, population: Population) -> None:
        self.arm, self.population = arm, population
        self.world, self.zone = population.world, arm.programme.tz
        self.load = Load.idle()
        tuning = arm.programme.constants
        self.tuning = tuning
        self.lessons = Lessons(tuning) if tuning is not None else None
        self.policy: Policy = arm.policy()
        self.telephone = Telephone(population)
        self.talks = Talks.of(population, arm.programme, self.policy.hours)
        self.lives: dict[int, _Life] = {}
        self.open: list[_Life] = []
        """Those who were not closed when the block began: looking through everybody for each call takes long."""
        self.promised: dict[int, _Life] = {}
        self.made: list[Made] = []
        self.room = Room(population.world, arm.programme)
        self.arrivals: dict[int, list[Someone]] = defaultdict(list)
        self.found: dict[int, list[_Life]] = defaultdict(list)
        self.ringing: dict[int, list[_Life]] = defaultdict(list)
        for someone in population.people:
            self.arrivals[someone.arrives_on].append(someone)

    # ---- the year

    def play(self, report: Report | None) -> Year:
        """Day after day, block after block."""
        for number in range(self.world.days):
            day = self.population.start + number * _DAY
            self._morning(number, day)
            blocks = self.policy.hours.blocks_on(day, self.zone)
            for block in blocks:
                self._block(number, block, self.room.calls(block, blocks))
            if report is not None:
                report(number + 1, self.world.days)
        return self._year()

    def _morning(self, number: int, day: date) -> None:
        at = datetime.combine(day, time(8), self.zone).astimezone(UTC)
        if number and self.arm.learns and self.lessons is not None:
            self.lessons.night(day, day=number)
            self._renew()
        for someone in self.arrivals.pop(number, ()):
            self.lives[someone.index] = self._arrive(someone, at)
        for life in self.found.pop(number, ()):
            self._give_number(life, at)

    def _arrive(self, someone: Someone, at: datetime) -> _Life:
        first = someone.index * 3
        numbers = [NumberState(first, Owner.YOUNG_PERSON)]
        if someone.has_guardian:
            numbers.append(NumberState(first + 1, Owner.GUARDIAN))
        segment = self.arm.programme.segment_of(someone.class_label)
        life = _Life(someone, segment, at, eighteenth_birthday(someone.birth_date), numbers=numbers)
        life.preferred_at = life.preferred_until = life.eligible_at = life.eligible_until = at
        return life

    def _give_number(self, life: _Life, at: datetime) -> None:
        """The right number was found: it re-opens whoever left the queue for want of one."""
        if life.opposed or any(life.line(one.number_id) is Line.FOUND for one in life.numbers):
            return
        life.numbers.append(NumberState(life.someone.index * 3 + 2, Owner.YOUNG_PERSON))
        if life.closed in {"details_to_find", "never_reached", "no_longer_reached", "opted_out"}:
            life.closed, life.opened_at = None, at
            life.reopened.append(at)
        if life.closed is None:
            self._reconsider(life, at)

    # ---- a block

    def _block(self, number: int, block: Block, calls: int) -> None:
        for life in self.ringing.pop(number, ()):
            self._rings_us(life, number, block)
        self.open = [life for life in self.lives.values() if life.closed is None]
        self._ask_again(block.start, ceil(calls * self.arm.programme.planning.margin), preferred=True)
        ready = self._ready(block)
        wanted = len(ready)
        step = (block.end - block.start) / max(calls, 1)
        for turn in range(calls):
            at = block.start + (turn + 0.5) * step
            found = self._next(ready, at, calls)
            if found is None:
                continue
            life, number_id, promised = found
            self._call(life, number_id, number, block, at, promised=promised)
            if life.waits and life.preferred_at is not None and life.preferred_at < block.end:
                ready.append(life)  # the repeat of a busy call
        if self.arm.learns and self.tuning is not None:
            self.load = after_block(self.load, block.slot, capacity=calls, wanted=wanted, tuning=self.tuning)
            self._renew()

    def _ready(self, block: Block) -> list[_Life]:
        return [
            life
            for life in self.open
            if life.waits
            and life.preferred_at is not None
            and life.preferred_until is not None
            and life.preferred_at < block.end
            and life.preferred_until > block.start
        ]

    def _next(self, ready: list[_Life], at: datetime, room: int) -> tuple[_Life, int, bool] | None:
        """Whose turn it is: a promise, then whoever's hour it is, then anybody whom the rules permit."""
        while (first := self._due_promise(at)) is not None:
            kept = self._keeps(first, at)
            if kept is not None:
                return first, kept, True
        while (life := self._best(ready, at, preferred=True)) is not None:
            ready.remove(life)
            answer = may_call(life.state(self.zone), self.policy, now=at, number_id=life.number_id)
            if isinstance(answer, Permission):
                return life, answer.number_id, False
            self._reconsider(life, at)
        self._ask_again(at, room, preferred=False)
        for _ in range(20):
            life = self._best(self.open, at, preferred=False)
            if life is None:
                break
            answer = may_call(life.state(self.zone), self.policy, now=at)
            if isinstance(answer, Permission):
                return life, answer.number_id, False
            self._reconsider(life, at)
        return None

    def _due_promise(self, at: datetime) -> _Life | None:
        due = (
            life for life in self.promised.values() if life.closed is None and (life.promised_at or at) <= at
        )
        return min(due, key=lambda life: (life.promised_at or at, life.someone.index), default=None)

    def _keeps(self, life: _Life, at: datetime) -> int | None:
        """The number on which a promise is kept; None when it ends, since none of theirs may be called any more."""
        state = life.state(self.zone)
        for number_id in (life.promised_on, None):
            answer = may_call(state, self.policy, now=at, number_id=number_id, promised=True)
            if isinstance(answer, Permission):
                return answer.number_id
        life.promised_at = None
        del self.promised[life.someone.index]
        self._reconsider(life, at)
        return None

    def _best(self, among: Iterable[_Life], at: datetime, *, preferred: bool) -> _Life | None:
        chosen, least = None, None
        for life in among:
            start, end = (
                (life.preferred_at, life.preferred_until)
                if preferred
                else (life.eligible_at, life.eligible_until)
            )
            if start is None or end is None or not life.waits or not start <= at < end:
                continue
            key = (life.priority, -self._worth(life, at), start, life.someone.index)
            if least is None or key < least:
                chosen, least = life, key
        return chosen

    def _worth(self, life: _Life, at: datetime) -> float:
        if not life.value or self.tuning is None:
            return 0.0
        since = max(life.opened_at, life.attempts[-1].at) if life.attempts else life.opened_at
        return life.value * (1 + self.tuning.age_worth * ((at - since) / _DAY))

    def _ask_again(self, at: datetime, room: int, *, preferred: bool) -> None:
        """Ask the rule again about people whose hour has passed without a call, no more than there is room for."""
        passed = [
            (life.priority, start, life.someone.index, life)
            for life in self.open
            if life.waits
            and (start := life.preferred_at if preferred else life.eligible_at) is not None
            and (end := life.preferred_until if preferred else life.eligible_until) is not None
            and end <= at
        ]
        passed.sort(key=lambda one: one[:3])
        for *_, life in passed[:room]:
            self._reconsider(life, at)

    def _renew(self) -> None:
        self.policy = self.arm.policy(self.lessons.fit if self.lessons is not None else None, self.load)

    # ---- a call

    def _call(
        self, life: _Life, number_id: int, day: int, block: Block, at: datetime, *, promised: bool
    ) -> None:
        someone, line = life.someone, life.line(number_id)
        dial = Dial(line, at, block.slot, day, life.dials, expected=promised)
        happened = self.telephone.ring(someone, dial)
        said = self.talks.after(someone, dial, happened)
        life.dials += 1
        if happened is Ring.NOBODY and self.telephone.rings_back(someone, dial):
            self.ringing[day + 1].append(life)
        self._note(life, number_id, said, block, at, promised=promised)
        if said.disposition.retry in FAILED:
            self._set_aside(life, number_id)
            if line is Line.OWN:
                self._look_for_details(life, day)
        self._teach(life, line, said, block.slot, day, promised=promised)
        self._follow(life, said, at, number_id, promised=promised)
        if life.closed in LATE_ENDS and line is not Line.FOUND:
            self._look_for_details(life, day)

    def _rings_us(self, life: _Life, day: int, block: Block) -> None:
        """Somebody rings back: a contact without a call of ours."""
        if life.closed is not None or life.reached:
            return
        at = block.start
        dial = Dial(Line.OWN, at, block.slot, day, life.dials, expected=True)
        said = self.talks.after(life.someone, dial, Ring.YOUNG_PERSON)
        life.dials += 1
        self._note(life, None, said, block, at, promised=False)
        if self.arm.learns and self.lessons is not None:
            history = history_of(life.state(self.zone))
            self.lessons.note(life.someone.index, history, day=day, weighs=False)
        self._follow(life, said, at, life.numbers[0].number_id, promised=False)

    def _note(
        self, life: _Life, number_id: int | None, said: Said, block: Block, at: datetime, *, promised: bool
    ) -> None:
        kind = said.disposition.retry
        past = PastAttempt(at, number_id, kind, block.slot, block.date, promised)
        life.attempts.append(past)
        life.reached = life.reached or said.disposition.is_contact
        if past.counts:
            life.numbers = [
                replace(one, calls=(*one.calls, at)) if one.number_id == number_id else one
                for one in life.numbers
            ]
        self.made.append(
            Made(
                person=life.someone.index,
                at=at,
                slot=block.slot,
                line=None if number_id is None else life.line(number_id),
                contact=said.disposition.is_contact,
                answered=not past.is_unanswered,
                promised=promised,
                kind=kind,
            )
        )

    def _set_aside(self, life: _Life, number_id: int) -> None:
        life.numbers = [
            replace(one, usable=False) if one.number_id == number_id else one for one in life.numbers
        ]

    def _look_for_details(self, life: _Life, day: int) -> None:
        if repaired(self.population, life.someone):
            self.found[day + self.world.numbers.repaired_after_days].append(life)

    def _teach(self, life: _Life, line: Line, said: Said, slot: Slot, day: int, *, promised: bool) -> None:
        if not self.arm.learns or self.lessons is None or self.tuning is None:
            return
        kind = said.disposition.retry
        if line is Line.GUARDIAN:
            told = kind is RetryKind.THIRD_PARTY or said.disposition.is_contact
            if not promised:
                self.lessons.note_second(slot, answered=kind in ANSWERED, day=day)
            life.guardian_told_in = slot if told else life.guardian_told_in
        else:
            history = history_of(life.state(self.zone))
            self.lessons.note(life.someone.index, history, day=day, weighs=not promised)
        if said.disposition.is_contact and life.guardian_told_in is not None:
            self.lessons.note_contact_by_second(life.guardian_told_in, day=day)
            life.guardian_told_in = None

    def _follow(self, life: _Life, said: Said, at: datetime, number_id: int, *, promised: bool) -> None:
        """What the wrap-up does: a promise, the end, or the rule's answer."""
        entry, retried = said.disposition, life.retried
        life.promised_at, life.retried = None, False
        if entry.retry is RetryKind.OPPOSITION:
            life.opposed, life.closed = True, "opposition"
        elif entry.is_final:
            life.closed = entry.closes_as or entry.code
        elif said.callback_at is not None:
            life.promised_at, life.promised_on = said.callback_at, number_id
        elif promised and entry.retry in UNANSWERED and not retried:
            later = at + timedelta(minutes=self.arm.programme.limits.promise_retry_minutes)
            life.promised_at = self.policy.hours.next_opening(later, self.zone)
            life.promised_on, life.retried = number_id, True
        elif entry.retry is RetryKind.GUARDIAN_REFUSAL:
            life.numbers = [
                replace(one, opted_out=True) if one.number_id == number_id else one for one in life.numbers
            ]
        if life.promised_at is None:
            self.promised.pop(life.someone.index, None)
        else:
            self.promised[life.someone.index] = life
        if life.waits:
            self._reconsider(life, at)

    def _reconsider(self, life: _Life, at: datetime) -> None:
        """Ask the retry rule and keep its answer, as planning does."""
        noting = Noting(self.policy.preference)
        step = next_attempt(life.state(self.zone), replace(self.policy, preference=noting), now=at)
        self._store(life, step, noting.earliest)

    @staticmethod
    def _store(life: _Life, step: NextStep, first: Option | None) -> None:
        match step:
            case CallAgain():
                earliest = first or step
                life.eligible_at, life.eligible_until = earliest.due_at, earliest.due_until
                life.preferred_at, life.preferred_until = step.due_at, step.due_until
                life.number_id, life.value = step.number_id, step.value
                called = any(attempt.at >= life.opened_at for attempt in life.attempts)
                life.priority = 0 if step.kind is CallKind.QUICK_RETRY else 2 if called else 1
            case Stop():
                life.closed = step.reason.value
            case OtherRoute():
                life.closed = step.kind.value

    # ---- the end

    def _year(self) -> Year:
        ends: Counter[str] = Counter(life.closed or "open" for life in self.lives.values())
        return summarise(
            self.arm.name,
            self.population.seed,
            calls=self.made,
            people=[life.someone for life in self.lives.values()],
            start=datetime.combine(self.population.start, time(), self.zone),
            room=self.room.given,
            ends=ends,
            house=self.arm.programme,
            hours=self.policy.hours,
            openings={index: life.reopened for index, life in self.lives.items()},
        )
