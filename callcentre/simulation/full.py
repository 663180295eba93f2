"""The full simulation: fictitious people in a database of its own, called through the program's real verbs.

Planning, claim, attempt, wrap-up, promises, the nightly learning: what runs here is what officers and the worker run.
Only the arrival of lists is shortened, since a simulation is about calls and not about files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue import entries
from callcentre.callqueue.lease import Lease, reclaim_expired
from callcentre.callqueue.models import EntryState, Lane, QueueEntry
from callcentre.database import reading, writing
from callcentre.demo import team
from callcentre.demo.temperaments import Ring
from callcentre.desk import corrections, serving
from callcentre.desk.context import Desk
from callcentre.desk.wrap_up import wrap_up
from callcentre.directory import queries as directory
from callcentre.errors import NotAllowed
from callcentre.funnel.changes import advance_many
from callcentre.outreach.callbacks import mark_missed
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import PersonNumber, PhoneNumber
from callcentre.people.names import sort_name
from callcentre.people.register import Arrival, register_many
from callcentre.phone import NumberKind
from callcentre.planning.blocks import plan_current_block
from callcentre.planning.policies import play_by
from callcentre.planning.refit import learn_one
from callcentre.retry.slots import Slot
from callcentre.retry.windows import Block
from callcentre.runtime import Runtime
from callcentre.settings import Settings
from callcentre.simulation.arms import Arm, Way
from callcentre.simulation.capacity import Room
from callcentre.simulation.ground import fresh_ground
from callcentre.simulation.population import Dial, Line, Population, Someone, Telephone, repaired
from callcentre.simulation.record import Made, Year, summarise
from callcentre.simulation.refusals import CannotSimulate
from callcentre.simulation.talk import FAILED, LATE_ENDS, SETTLED, Said, Talks

Report = Callable[[int, int], None]
"""Told on the way: days played, days in all."""
MOST_PEOPLE = 5000
"""People for whom there are fictitious numbers: one of their own, one to be found, a guardian's."""
_DAY = timedelta(days=1)
_TALK = timedelta(seconds=70)


def play(
    arm: Arm,
    population: Population,
    *,
    file: Path,
    live: Settings,
    report: Report | None = None,
    at_end: Callable[[Runtime], None] | None = None,
) -> Year:
    """Play one arm through the real verbs in the new database `file`; raises CannotSimulate.

    `at_end` may look at that database before it is deleted.
    """
    if len(population.people) > MOST_PEOPLE:
        raise CannotSimulate(f"At most {MOST_PEOPLE} people can be simulated through the real verbs.")
    start = datetime.combine(population.start, time(7), arm.programme.tz)
    if arm.way in {Way.EVENING_FIRST, Way.RECYCLE}:
        play_by(arm.programme, arm.policy())
    with fresh_ground(file, arm.programme, live=live, start=start) as runtime:
        year = _Game(arm, population, runtime).play(report)
        if at_end is not None:
            at_end(runtime)
        return year


@dataclass(slots=True)
class _Life:
    someone: Someone
    person_id: int
    dials: int = 0
    is_found: bool = False


class _Game:
    """One year of one arm."""

    def __init__(self, arm: Arm, population: Population, runtime: Runtime) -> None:
        self.arm, self.population, self.runtime = arm, population, runtime
        self.world, self.zone = population.world, arm.programme.tz
        with reading(runtime.sessions) as session:
            self.desk: Desk = runtime.desk(session, arm.programme.code)
            self.team = team.of(session)
        self.hours = arm.policy().hours
        self.telephone = Telephone(population)
        self.talks = Talks.of(population, arm.programme, self.hours)
        self.room = Room(population.world, arm.programme)
        self.lives: dict[int, _Life] = {}
        self.lines: dict[int, Line] = {}
        self.made: list[Made] = []
        self.reopened: dict[int, list[datetime]] = defaultdict(list)
        self.arrivals: dict[int, list[_Life]] = defaultdict(list)
        self.found: dict[int, list[_Life]] = defaultdict(list)
        self.ringing: dict[int, list[_Life]] = defaultdict(list)
        self.turn = 0

    # ---- the year

    def play(self, report: Report | None) -> Year:
        """Day after day, block after block."""
        self._register()
        for number in range(self.world.days):
            day = self.population.start + number * _DAY
            self._morning(number, day)
            blocks = self.hours.blocks_on(day, self.zone)
            for block in blocks:
                self._block(number, block, self.room.calls(block, blocks))
            if report is not None:
                report(number + 1, self.world.days)
        return self._year()

    def _register(self) -> None:
        """Write everybody down; they take their place in the queue when their list comes."""
        at = self.runtime.clock.now()
        people = self.population.people
        territories = self.arm.programme.territories
        arrivals = [
            Arrival(_candidate(one, territories[one.index % len(territories)].postal_codes), self.zone.key)
            for one in people
        ]
        with writing(self.runtime.sessions) as session:
            registered = register_many(session, arrivals, now=at)
            rows = session.execute(
                select(PersonNumber.number_id, PersonNumber.owner).join(
                    PhoneNumber, PhoneNumber.id == PersonNumber.number_id
                )
            ).all()
        for number_id, owner in rows:
            self.lines[number_id] = Line.OWN if owner == NumberOwner.YOUNG_PERSON else Line.GUARDIAN
        for someone, known in zip(people, registered, strict=True):
            life = _Life(someone, known.person_id)
            self.lives[known.person_id] = life
            self.arrivals[someone.arrives_on].append(life)

    def _morning(self, number: int, day: date) -> None:
        at = datetime.combine(day, time(8), self.zone).astimezone(UTC)
        self.runtime.clock.move_to(at)  # type: ignore[attr-defined]  # the ground's clock is a ManualClock
        if number and self.arm.learns:
            learn_one(self.runtime.sessions, self.arm.programme, at)
        arrived = self.arrivals.pop(number, [])
        if arrived:
            with writing(self.runtime.sessions) as session:
                self._enter(session, arrived, at)
        for life in self.found.pop(number, ()):
            self._give_number(life, at)

    def _enter(self, session: Session, arrived: Sequence[_Life], at: datetime) -> None:
        places = [place.id for place in directory.territories(session, self.desk.programme_id)]
        entries.open_entries(
            session,
            [(life.person_id, places[life.someone.index % (len(places) - 1)], None) for life in arrived],
            programme_id=self.desk.programme_id,
            list_file_id=None,
            now=at,
        )
        people = [life.person_id for life in arrived]
        advance_many(session, programme_id=self.desk.programme_id, person_ids=people, at=at, now=at)

    def _give_number(self, life: _Life, at: datetime) -> None:
        """The right number was found: a supervisor adds it."""
        with writing(self.runtime.sessions) as session:
            entry = self._entry(session, life)
            was_closed = entry.state == EntryState.CLOSED
            if life.is_found or entry.closed_reason == "opposition":
                return
            number_id = corrections.add_number(
                session,
                self.desk,
                life.person_id,
                f"+3363998{MOST_PEOPLE + life.someone.index:04}",
                NumberOwner.YOUNG_PERSON,
                by=self.team.supervisor,
                now=at,
            )
            life.is_found, self.lines[number_id] = True, Line.FOUND
            if was_closed and entry.state == EntryState.OPEN:
                self.reopened[life.someone.index].append(at)

    # ---- a block

    def _block(self, number: int, block: Block, calls: int) -> None:
        self.runtime.clock.move_to(block.start)  # type: ignore[attr-defined]
        with writing(self.runtime.sessions) as session:
            reclaim_expired(session, now=block.start)
            mark_missed(session, [self.desk.programme], now=block.start)
        for life in self.ringing.pop(number, ()):
            self._rings_us(life, number, block)
        with writing(self.runtime.sessions) as session:
            plan_current_block(session, [self.desk.programme], block.start)
        step = (block.end - block.start) / max(calls, 1)
        for turn in range(calls):
            at = block.start + (turn + 0.5) * step
            self.runtime.clock.move_to(at)  # type: ignore[attr-defined]
            self._serve(number, block, at)

    def _serve(self, day: int, block: Block, at: datetime) -> None:
        """Let the next officer ask, call and record; whoever may not be called after all is passed over."""
        self.turn += 1
        officer = self.team.officers[self.turn % len(self.team.officers)]
        for _ in range(5):
            with writing(self.runtime.sessions) as session:
                lease = serving.serve_next(session, self.desk, officer_id=officer, now=at)
                if not isinstance(lease, Lease):
                    return
                if lease.number_id is None:
                    self._pass_over(session, lease, officer, at)
                    continue
                try:
                    with session.begin_nested():
                        serving.start_attempt(
                            session,
                            self.desk,
                            lease.token,
                            officer_id=officer,
                            number_id=lease.number_id,
                            now=at,
                        )
                except NotAllowed:
                    self._pass_over(session, lease, officer, at)
                    continue
                self._call(session, lease, day, block, at, officer)
                return

    def _pass_over(self, session: Session, lease: Lease, officer: int, at: datetime) -> None:
        """Come back to somebody later: given back at once, they would be served to everybody for ever."""
        why = next(iter(self.desk.programme.skip_reasons))
        serving.skip(
            session, self.desk, lease.token, officer_id=officer, reason_code=why, not_before=None, now=at
        )

    # ---- a call

    def _call(
        self, session: Session, lease: Lease, day: int, block: Block, at: datetime, officer: int
    ) -> None:
        life, number_id = self.lives[lease.person_id], lease.number_id
        assert number_id is not None
        someone, line = life.someone, self.lines[number_id]
        promised = lease.lane is Lane.PROMISE
        dial = Dial(line, at, block.slot, day, life.dials, expected=promised)
        happened = self.telephone.ring(someone, dial)
        said = self.talks.after(someone, dial, happened)
        life.dials += 1
        if happened is Ring.NOBODY and self.telephone.rings_back(someone, dial):
            self.ringing[day + 1].append(life)
        self._record(session, lease.token, said, life, dial, number_id, officer)
        self._note(life, line, said, block.slot, at, promised=promised)
        if (said.disposition.retry in FAILED and line is Line.OWN) or (
            line is not Line.FOUND and self._entry(session, life).closed_reason in LATE_ENDS
        ):
            self._look_for_details(life, day)

    def _rings_us(self, life: _Life, day: int, block: Block) -> None:
        """Somebody rings back: an officer opens their card."""
        officer, at = self.team.officers[0], block.start
        if any(call.contact and call.person == life.someone.index for call in self.made):
            return
        with writing(self.runtime.sessions) as session:
            if self._entry(session, life).state != EntryState.OPEN:
                return
            lease = serving.open_card(session, self.desk, life.person_id, officer_id=officer, now=at)
            dial = Dial(Line.OWN, at, block.slot, day, life.dials, expected=True)
            said = self.talks.after(life.someone, dial, Ring.YOUNG_PERSON)
            life.dials += 1
            self._record(session, lease.token, said, life, dial, None, officer)
        self._note(life, None, said, block.slot, at, promised=False)

    def _record(
        self,
        session: Session,
        token: str,
        said: Said,
        life: _Life,
        dial: Dial,
        number_id: int | None,
        officer: int,
    ) -> None:
        outcome = self.talks.outcome(said, life.someone, dial, number_id=number_id)
        key = f"{life.person_id}-{life.dials}"
        wrap_up(session, self.desk, token, outcome, officer_id=officer, key=key, now=dial.at + _TALK)

    def _note(
        self, life: _Life, line: Line | None, said: Said, slot: Slot, at: datetime, *, promised: bool
    ) -> None:
        entry = said.disposition
        self.made.append(
            Made(
                person=life.someone.index,
                at=at,
                slot=slot,
                line=line,
                contact=entry.is_contact,
                answered=entry.retry in SETTLED,
                promised=promised,
                kind=entry.retry,
            )
        )

    def _look_for_details(self, life: _Life, day: int) -> None:
        if repaired(self.population, life.someone):
            self.found[day + self.world.numbers.repaired_after_days].append(life)

    def _entry(self, session: Session, life: _Life) -> QueueEntry:
        return session.scalars(
            select(QueueEntry).where(
                QueueEntry.programme_id == self.desk.programme_id, QueueEntry.person_id == life.person_id
            )
        ).one()

    # ---- the end

    def _year(self) -> Year:
        with reading(self.runtime.sessions) as session:
            rows = session.execute(
                select(QueueEntry.state, QueueEntry.closed_reason).where(
                    QueueEntry.programme_id == self.desk.programme_id
                )
            ).all()
        ends = Counter(reason or "closed" if state == EntryState.CLOSED else "open" for state, reason in rows)
        arrived = [one for one in self.population.people if one.arrives_on < self.world.days]
        return summarise(
            self.arm.name,
            self.population.seed,
            calls=self.made,
            people=arrived,
            start=datetime.combine(self.population.start, time(), self.zone),
            room=self.room.given,
            ends=ends,
            house=self.arm.programme,
            hours=self.hours,
            openings=self.reopened,
        )


def _candidate(someone: Someone, postal_codes: Sequence[str]) -> Candidate:
    """A person as a list would bring them; every name and number is invented."""
    family, first = f"Simulé {someone.index + 1:04}", "Jeune"
    numbers = [
        CandidateNumber(f"+3363998{someone.index:04}", NumberKind.MOBILE.value, NumberOwner.YOUNG_PERSON)
    ]
    guardians: tuple[CandidateGuardian, ...] = ()
    if someone.has_guardian:
        guardians = (CandidateGuardian(1, family, "Responsable"),)
        numbers.append(
            CandidateNumber(
                f"+3346571{someone.index:04}", NumberKind.FIXED.value, NumberOwner.GUARDIAN, guardian_rank=1
            )
        )
    return Candidate(
        family_name=family,
        first_name=first,
        birth_date=someone.birth_date,
        sort_name=sort_name(family, first),
        postal_code=postal_codes[0] if postal_codes else None,
        class_label=someone.class_label or None,
        guardians=guardians,
        numbers=tuple(numbers),
    )
