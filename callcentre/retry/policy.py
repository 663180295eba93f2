"""A programme's way of trying again, assembled from its own words in `config/programmes`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from callcentre.errors import ConfigurationError
from callcentre.programmes import LimitsConfig, Programme
from callcentre.retry.limits import Limits
from callcentre.retry.preference import Preference, Rotation
from callcentre.retry.rules import RULES, RuleBook
from callcentre.retry.slots import Slot
from callcentre.retry.windows import CallingHours


@dataclass(frozen=True)
class Policy:
    """Hours, limits, and the preference among permitted hours; made once per programme, it caches."""

    hours: CallingHours
    limits: Limits = field(default_factory=Limits)
    preference: Preference = field(default_factory=Rotation)
    rules: RuleBook = field(default=RULES, repr=False)


def policy_of(programme: Programme) -> Policy:
    """The policy that a programme's file describes; raises ConfigurationError naming key and remedy."""
    try:
        hours = CallingHours.of(
            weekdays=programme.hours.weekdays,
            saturday=programme.hours.saturday,
            slots={Slot(slot.code): slot.spans for slot in programme.slots},
            closed_days=programme.hours.closed_days,
            country=programme.hours.holidays_country,
        )
    except ValueError as error:
        raise ConfigurationError(
            file=f"{programme.code}.toml",
            key="hours, slots",
            problem=f"{error}.",
            remedy=f"Give every calling hour exactly one slot among {', '.join(Slot)}; the country by two letters.",
        ) from error
    return Policy(hours, limits_of(programme.limits))


def limits_of(config: LimitsConfig) -> Limits:
    """The limits in the units of the rules."""
    after, until = config.quick_retry_minutes
    return Limits(
        calls_per_day=config.calls_per_day,
        calls_in_period=config.calls_per_30_days,
        contacts_in_period=config.contacts_per_30_days,
        calls_in_all=config.calls_in_all,
        same_day_gap=timedelta(hours=config.gap_hours_same_day),
        quick_retry_after=timedelta(minutes=after),
        quick_retry_until=timedelta(minutes=until),
        soft_refusal=timedelta(days=config.soft_refusal_days),
        guardian_attempts=frozenset(config.guardian_attempts),
        calls_adult_guardians=config.call_adult_guardians,
    )
