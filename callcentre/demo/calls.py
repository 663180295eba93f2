"""One call of the demonstration, from the card on the screen to its result and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import select

from callcentre.accounts import presence
from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease, reclaim_expired
from callcentre.demo import conversations
from callcentre.demo.stage import Stage
from callcentre.demo.temperaments import Ring, line, ring
from callcentre.desk import serving
from callcentre.desk.outcomes import Outcome
from callcentre.desk.submissions import Wrapped
from callcentre.desk.undo import undo
from callcentre.desk.wrap_up import wrap_up
from callcentre.dispositions import Disposition
from callcentre.errors import LeaseLost, NotAllowed
from callcentre.outreach.models import Attempt, Callback
from callcentre.people.models import PersonNumber, PhoneNumber, YoungPerson

SIGN_OF_LIFE = timedelta(seconds=100)
"""How often an open card says that it is still looked at."""
SKIPS, GIVES_BACK, FORGETS, DAWDLES = 0.02, 0.01, 0.01, 0.01
"""Parts of the cards that are passed over, given back, left lying on the screen, or looked at until they lapse."""
UNANNOUNCED, LEAVES, SENDS_TWICE, UNDOES = 0.02, 0.004, 0.01, 0.015
"""Parts of the calls that are dialled by hand, left open by closing the laptop, told twice, or told wrongly."""


@dataclass(frozen=True, slots=True)
class _Number:
    id: int
    e164: str
    owner: str
    source: str


@dataclass
class Call:
    """A card in an officer's hands; `left` turns True when the officer closed the laptop on an open call."""

    stage: Stage
    officer_id: int
    lease: Lease
    random: Random
    left: bool = False
    is_announced: bool = False

    @classmethod
    def of(cls, stage: Stage, officer_id: int, lease: Lease) -> Call:
        """Return the call of a lease, with its own chance."""
        return cls(stage, officer_id, lease, stage.random("call", lease.person_id, stage.now.isoformat()))

    def make(self) -> Iterator[datetime]:
        """Play the call; every pause is a step."""
        try:
            if self.lease.attempt_id is None:
                yield from self._look_at_card()
                if self._passes_on() or not self._dial():
                    return
            yield from self._speak()
        except LeaseLost:
            return  # it lapsed over a coffee and a colleague has the person now

    # ---- steps

    def _look_at_card(self) -> Iterator[datetime]:
        if self.random.random() >= DAWDLES:
            yield self.stage.later(self.random, 10, 60)
            return
        yield self.lease.until + timedelta(seconds=self.stage.desk.settings.lease_sweep_seconds)
        with self.stage.writing() as session:
            reclaim_expired(session, now=self.stage.now)  # the worker's sweep
        yield self.stage.later(self.random, 5, 300)

    def _passes_on(self) -> bool:
        drawn = self.random.random()
        if drawn < GIVES_BACK:
            self._give_back()
            return True
        if drawn < GIVES_BACK + SKIPS:
            self._skip(self.random.choice(list(self.stage.desk.programme.skip_reasons)))
            return True
        return drawn < GIVES_BACK + SKIPS + FORGETS

    def _skip(self, why: str) -> None:
        not_before = self.stage.now + timedelta(days=1) if self.random.random() < 0.5 else None
        with self.stage.writing() as session:
            serving.skip(
                session,
                self.stage.desk,
                self.lease.token,
                officer_id=self.officer_id,
                reason_code=why,
                not_before=not_before,
                now=self.stage.now,
            )

    def _dial(self) -> bool:
        """Click the number, unless it is dialled by hand and only recorded afterwards; False when a rule forbids it."""
        if self.random.random() < UNANNOUNCED or self.lease.number_id is None:
            return True
        try:
            with self.stage.writing() as session:
                serving.start_attempt(
                    session,
                    self.stage.desk,
                    self.lease.token,
                    officer_id=self.officer_id,
                    number_id=self.lease.number_id,
                    now=self.stage.now,
                )
        except NotAllowed:  # the hour is over, or a relative was called on this number meanwhile
            self._give_back()
            return False
        self.is_announced = True
        self.left = self.random.random() < LEAVES
        return True

    def _give_back(self) -> None:
        with self.stage.writing() as session:
            serving.release(session, self.lease.token, officer_id=self.officer_id, now=self.stage.now)

    def _speak(self) -> Iterator[datetime]:
        if self.left:
            return
        happened = self._what_happens()
        long = happened is Ring.YOUNG_PERSON
        yield from self._stay(240 if long else 40, 600 if long else 90)
        disposition = self._disposition(happened)
        wrapped = self.wrap_up(disposition)
        self.stage.calls += 1
        if self.random.random() < UNDOES:
            yield self.stage.later(self.random, 20, 200)
            self._correct(wrapped)

    def _stay(self, least: float, most: float) -> Iterator[datetime]:
        """Stay on the card for a while; one whose call was not announced is kept by saying so to the server."""
        until = self.stage.later(self.random, least, most)
        while not self.is_announced and until - self.stage.now > SIGN_OF_LIFE:
            yield self.stage.now + SIGN_OF_LIFE
            with self.stage.writing() as session:
                serving.renew(
                    session, self.stage.desk, self.lease.token, officer_id=self.officer_id, now=self.stage.now
                )
        yield until

    # ---- what becomes of it

    def _what_happens(self) -> Ring:
        number, zone, expected = self._line
        if number is None:
            return Ring.NOBODY
        block = self.stage.desk.policy.hours.block_at(self.stage.now, zone)
        dialled = line(
            self.stage.random("line", self.lease.person_id, number.e164),
            owner=number.owner,
            was_given=number.source != "list",
            is_expected=expected,
            slot=block.slot if block else None,
        )
        return ring(self.random, self.stage.temperament(self.lease.person_id), dialled)

    @cached_property
    def _line(self) -> tuple[_Number | None, ZoneInfo, bool]:
        with self.stage.reading() as session:
            number_id = self.lease.number_id
            if self.lease.attempt_id is not None:
                number_id = session.get_one(Attempt, self.lease.attempt_id).number_id
            zone = session.scalar(select(YoungPerson.zone).where(YoungPerson.id == self.lease.person_id))
            row = session.execute(
                select(PersonNumber.number_id, PhoneNumber.e164, PersonNumber.owner, PersonNumber.source)
                .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
                .where(PersonNumber.person_id == self.lease.person_id, PersonNumber.number_id == number_id)
            ).one_or_none()
            callback = session.get(Callback, self.lease.callback_id) if self.lease.callback_id else None
            expected = callback is not None and abs(self.stage.now - callback.promised_at) < timedelta(
                hours=1
            )
        return (_Number(*row) if row else None), ZoneInfo(zone or self.stage.desk.programme.zone), expected

    def _disposition(self, happened: Ring) -> Disposition:
        return self.stage.code_book.draw(
            self.random,
            happened,
            self.stage.temperament(self.lease.person_id),
            is_follow_up=self.lease.callback_id is not None,
        )

    def wrap_up(self, disposition: Disposition) -> Wrapped:
        """Send the result, now and then twice."""
        outcome = self._outcome(disposition)
        key = f"{self.officer_id}-{self.stage.now:%Y%m%d%H%M%S}"
        for _ in range(2 if self.random.random() < SENDS_TWICE else 1):
            with self.stage.writing() as session:
                wrapped = wrap_up(
                    session,
                    self.stage.desk,
                    self.lease.token,
                    outcome,
                    officer_id=self.officer_id,
                    key=key,
                    now=self.stage.now,
                )
        return wrapped

    def _outcome(self, disposition: Disposition) -> Outcome:
        number, zone, _ = self._line
        return conversations.outcome(
            self.random,
            disposition,
            number_id=number.id if number else None,
            hours=self.stage.desk.policy.hours,
            zone=zone,
            now=self.stage.now,
            new_number=self.stage.new_number(self.random),
        )

    def _correct(self, wrapped: Wrapped) -> None:
        """Undo a mistaken key and give the right result, if the card comes back."""
        if wrapped.submission_id is None or wrapped.kept:
            return
        try:
            with self.stage.writing() as session:
                undone = undo(
                    session,
                    self.stage.desk,
                    wrapped.submission_id,
                    officer_id=self.officer_id,
                    now=self.stage.now,
                )
        except NotAllowed:
            return  # a colleague was quicker
        if undone.lease is not None:
            self.lease = undone.lease
            self.wrap_up(self.stage.code_book.unanswered(self.random))


def finish(stage: Stage, officer_id: int) -> None:
    """Leave no card behind at the end of the playing: give it back, or record the call that was running."""
    with stage.reading() as session:
        lease = leases.of_officer(session, officer_id)
    if lease is not None and lease.attempt_id is not None:
        call = Call.of(stage, officer_id, lease)
        call.wrap_up(stage.code_book.unanswered(call.random))
    elif lease is not None:
        with stage.writing() as session:
            serving.release(session, lease.token, officer_id=officer_id, now=stage.now)
    with stage.writing() as session:
        presence.leave(session, officer_id)
