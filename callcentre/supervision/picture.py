"""What a supervisor sees of one moment, as frozen values; two equal pictures have the same digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from callcentre.callqueue.kinds import Lane
from callcentre.funnel.stages import Stage


class OfficerState(StrEnum):
    """What an officer is doing."""

    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    READING = "reading"
    FREE = "free"
    PAUSED = "paused"
    AWAY = "away"


class PromiseState(StrEnum):
    """How a promised callback stands."""

    NEXT = "next"
    AT_RISK = "at_risk"
    """Due within minutes while its officer is not free, or nobody is."""
    LATE = "late"
    MISSED = "missed"


class Bucket(StrEnum):
    """When the queue works for somebody again."""

    HELD = "held"
    """Somebody has their card."""
    NOW = "now"
    RESERVE = "reserve"
    """Not planned into this block: their turn comes as soon as there is room, most often this very hour."""
    TODAY = "today"
    LATER = "later"
    PAUSED = "paused"
    NOTHING = "nothing"
    """No permitted call is known; a promise or another route is awaited."""
    CLOSED = "closed"


@dataclass(frozen=True)
class OfficerNow:
    """An officer: what they are doing, since when, for which territory; figures of the day, no rank."""

    id: int
    name: str
    state: OfficerState
    since: datetime | None
    reason: str | None
    territory: str | None
    calls: int
    contacts: int
    holds_lease: bool = False


@dataclass(frozen=True)
class Ready:
    """People who can be claimed now, by territory and lane; `oldest` is the earliest due time among them."""

    territory_id: int
    lane: Lane
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Promise:
    """A promised callback that is not settled yet; `officer` None means the team."""

    callback_id: int
    person_id: int
    person: str
    promised_at: datetime
    officer: str | None
    state: PromiseState


@dataclass(frozen=True)
class OpenCall:
    """A call without a result whose officer gave no sign of life: to be settled."""

    attempt_id: int
    person_id: int
    person: str
    officer: str
    started_at: datetime


@dataclass(frozen=True)
class Conflict:
    """A result that came after the person had been given to somebody else; kept until it is settled."""

    id: int
    person_id: int | None
    person: str
    officer: str
    at: datetime
    disposition: str | None


@dataclass(frozen=True)
class Refusal:
    """A guardian who refused; a supervisor decides what it means for the young person."""

    opt_out_id: int
    person_id: int | None
    person: str
    at: datetime


@dataclass(frozen=True)
class ImportNow:
    """A list that is being imported."""

    id: int
    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Result:
    """One of the last results of the day; whose they are is not shown."""

    attempt_id: int
    at: datetime
    territory: str
    disposition: str


@dataclass(frozen=True)
class TerritoryNow:
    """A territory's part of today's ordinary calls: served, its share, its weight, who is ready."""

    id: int
    code: str
    label: str
    weight: float | None
    is_weight_set: bool
    served: int
    share: float
    ready: int
    is_due: bool


@dataclass(frozen=True)
class Waiting:
    """People counted by what the queue does with them; `reason` explains it, or says why it was closed."""

    bucket: Bucket
    reason: str | None
    count: int


@dataclass(frozen=True)
class Todo:
    """What waits for somebody: promised callbacks, calls without a result, late results, guardians' refusals."""

    promises: tuple[Promise, ...]
    promise_counts: dict[PromiseState, int]
    to_settle: tuple[OpenCall, ...]
    conflicts: tuple[Conflict, ...]
    refusals: tuple[Refusal, ...]

    @property
    def decisions(self) -> int:
        """How many decisions are waited for."""
        return len(self.to_settle) + len(self.conflicts) + len(self.refusals)


@dataclass(frozen=True)
class SlowPart:
    """What needs a count over everybody, with the instant it was counted."""

    counted_at: datetime
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True)
class Picture:
    """Everything that the live page shows of one programme at one moment."""

    programme_id: int
    taken_at: datetime
    day: date
    officers: tuple[OfficerNow, ...]
    ready: tuple[Ready, ...]
    leased: int
    todo: Todo
    imports: tuple[ImportNow, ...]
    stages: dict[Stage, int]
    calls_today: int
    contacts_today: int
    results: tuple[Result, ...]
    territories: tuple[TerritoryNow, ...]
    slow: SlowPart
    digest: str = field(default="", compare=False)

    @property
    def oldest_due(self) -> datetime | None:
        """Since when the person who has waited longest could have been called."""
        return min((ready.oldest for ready in self.ready), default=None)

    @property
    def ready_count(self) -> int:
        """People who can be claimed now."""
        return sum(ready.count for ready in self.ready)

    def ready_in(self, lane: Lane) -> int:
        """People of a lane who can be claimed now."""
        return sum(ready.count for ready in self.ready if ready.lane is lane)

    def waiting_in(self, bucket: Bucket) -> int:
        """People of a bucket, as last counted."""
        return sum(waiting.count for waiting in self.slow.waiting if waiting.bucket == bucket)

    def officers_in(self, state: OfficerState) -> int:
        """Officers who are doing this."""
        return sum(officer.state == state for officer in self.officers)

    def as_json(self) -> dict[str, Any]:
        """The picture for a program: ids and counts, no name of a young person."""
        data: dict[str, Any] = asdict(self)
        for key in ("promises", "to_settle", "conflicts", "refusals"):
            for item in data["todo"][key]:
                del item["person"]
        data["oldest_due"] = self.oldest_due
        data["ready_count"] = self.ready_count
        plain: dict[str, Any] = json.loads(json.dumps(data, default=_plain))
        return plain


def digest_of(picture: Picture) -> str:
    """A name for what the picture shows: the same in every process, whenever the same is shown."""
    data = asdict(picture)
    del data["taken_at"], data["digest"], data["slow"]["counted_at"]
    text = json.dumps(data, default=_plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no plain form for {type(value).__name__}")
