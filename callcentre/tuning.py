"""The constants of the learning retry rule: names, units and bounds; their values and sources are in `config/`.

`config/default.toml` gives every value in its table `[retry]`; a programme's file may override any of them in a
table of the same name. Nothing here has a default of its own, so that each number is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

SLOT_COUNT = 5
"""Morning, midday, afternoon, evening, Saturday: the order of every list of rates."""

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
Rates = Annotated[tuple[Rate, ...], Field(min_length=SLOT_COUNT, max_length=SLOT_COUNT)]


class ProfileTuning(BaseModel):
    """What one profile of availability is believed to be before any call: rates, share, and firmness in calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rates: Rates
    """Chance of an answer to one call, by slot."""
    share: Rate
    """Part of the people of every segment."""
    firmness: float = Field(gt=0)
    """Calls' worth of belief in `rates`."""
    is_fixed: bool = False
    """Whether `rates` never move."""


class RetryTuning(BaseModel):
    """Every constant of the preference, its learning and its explanation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preference: Literal["learnt", "rotation"]
    control_share: Share
    learns: bool
    second_number: Literal["learnt", "plan"]
    uses_answered_hours: bool
    prices_load: bool
    profiles: tuple[ProfileTuning, ...] = Field(min_length=2)
    segment_firmness: float = Field(gt=0)
    half_life_days: float = Field(ge=14)
    """Shorter ones let the weights outgrow a floating-point number within the years of a programme."""
    em_steps: int = Field(ge=1, le=20)
    second_rate: Rate
    second_firmness: float = Field(gt=0)
    second_worth: Rate
    second_worth_firmness: float = Field(gt=0)
    second_from_call: int = Field(ge=1)
    second_calls: int = Field(ge=0)
    second_fade: Share
    patience: Share
    saturday_queue_days: float = Field(ge=0)
    long_queue_days: float = Field(gt=0)
    room_days: float = Field(ge=0)
    load_step: Share
    load_floor: Rate
    age_worth: float = Field(ge=0)
    age_days: float = Field(ge=0)
    plans_ahead: bool
    absence: Share
    absence_fade: Share
    redial_hours: float = Field(ge=0)
    redial_factor: Share
    plan_tolerance: Share

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = sum(profile.share for profile in self.profiles)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the profiles add up to {total:g}, not to 1")
        return self

    def overridden(self, changes: Mapping[str, Any]) -> RetryTuning:
        """The same constants with a programme's own; raises pydantic's ValidationError."""
        if not changes:
            return self
        return RetryTuning.model_validate({**self.model_dump(), **changes})


def check_overrides(changes: Mapping[str, Any]) -> None:
    """Refuse names that are no constants and values that cannot be theirs, each by itself; raises ValueError."""
    for name, value in changes.items():
        known = RetryTuning.model_fields.get(name)
        if known is None:
            raise ValueError(f"{name!r} is no constant of the retry rule; default.toml lists them")
        field: Any = Annotated[known.annotation, known]
        TypeAdapter(field).validate_python(value)
