"""What the desk's verbs work with: one programme, its policy, the settings and the process's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from callcentre.callqueue.ledger import Ledger
from callcentre.dispositions import Disposition
from callcentre.planning.policies import policy_of
from callcentre.programmes import Programme
from callcentre.retry.policy import Policy
from callcentre.settings import Settings


@dataclass(frozen=True)
class Desk:
    """A programme's desk, the same for every officer of a process."""

    programme: Programme
    programme_id: int
    settings: Settings
    ledger: Ledger

    @property
    def policy(self) -> Policy:
        """The retry policy."""
        return policy_of(self.programme)

    @property
    def lifetime(self) -> timedelta:
        """How long a lease lasts without a sign of life."""
        return timedelta(seconds=self.settings.lease_seconds)

    @property
    def settle_after(self) -> timedelta:
        """How long an open attempt may be silent before it is to settle."""
        return timedelta(minutes=self.settings.settle_minutes)

    @property
    def undo_within(self) -> timedelta:
        """How long a result may be undone by its author."""
        return timedelta(minutes=self.settings.undo_minutes)

    def day(self, now: datetime) -> date:
        """The programme's civil day."""
        return now.astimezone(self.programme.tz).date()

    def disposition(self, code: str) -> Disposition | None:
        """An entry of the code book that may be used now, or None."""
        known = (
            entry for entry in self.programme.dispositions if entry.code == code and not entry.is_retired
        )
        found = next(known, None)
        return None if found is None else found.entry()
