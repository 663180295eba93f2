"""Idempotency keys live for a month, and nothing that was done goes with them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from callcentre.desk.models import OutcomeSubmission
from callcentre.desk.retention import forget_old
from callcentre.outreach.models import Attempt
from tests.contracts.conftest import Office


def test_keys_are_forgotten_after_a_month_and_attempts_stay(office: Office) -> None:
    office.say(office.take(), "no_answer")
    month = timedelta(days=30)
    office.later(days=29)
    assert office.write(lambda s, _: forget_old(s, now=office.now, keep=month)) == 0
    office.later(days=2)
    assert office.write(lambda s, _: forget_old(s, now=office.now, keep=month)) == 1
    with office.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(OutcomeSubmission)) == 0
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1
