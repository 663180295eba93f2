"""What an officer says of a call, as it was sent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from callcentre.people.kinds import NumberOwner

NOTE_LENGTH = 4000
"""Longest note, in characters."""


@dataclass(frozen=True, slots=True)
class AppointmentAsked:
    """An appointment made during the call."""

    partner: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a call: a disposition of the code book, and the fields that it opens.

    `number_id`: the number called (the attempt's, else the one proposed). `callback_for_team`: anybody may keep the
    promise. `new_number` is text as typed. `also_for`: people of the household whom the same call closes alike.
    """

    disposition: str
    number_id: int | None = None
    note: str = ""
    callback_at: datetime | None = None
    callback_for_team: bool = False
    new_number: str = ""
    new_number_owner: NumberOwner = NumberOwner.YOUNG_PERSON
    reason: str = ""
    appointment: AppointmentAsked | None = None
    also_for: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values, to keep when it came too late."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return plain

    @property
    def digest(self) -> str:
        """A fingerprint: the same key with another fingerprint is a mistake of the sender."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
