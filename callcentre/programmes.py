"""A programme as data: who is called, when, how often, towards which targets, with which words.

Everything comes from `config/programmes/<code>.toml`. A wrong file stops the start with the file, the key and what to
change; another territory runs this program without touching code.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from callcentre import phone
from callcentre.dispositions import ENDS_OF_ITS_OWN, Disposition, Group, Need, NumberSign, RetryKind
from callcentre.errors import ConfigurationError
from callcentre.tuning import RetryTuning, check_overrides

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STAGES = ("to_contact", "contacted", "accompanied", "positive_exit")
"""The funnel's stages in order; their meaning is in the programme file, their nesting in `callcentre.funnel`."""

LONGEST_DAY = 12 * 60
"""Minutes from the first to the last call of one day, at most."""
Span = tuple[time, time]
Situation = Literal["unanswered", "no_number"]
PERIOD = timedelta(days=30)
"""The unit of every limit `per_30_days`: any thirty days, not a month of the calendar."""


def _in_french(words: dict[str, str]) -> dict[str, str]:
    if words and not words.get("fr", "").strip():
        raise ValueError("there are no words in French (fr), which stand for every language that has none")
    return words


OptionalWords = Annotated[dict[str, str], AfterValidator(_in_french)]
"""Text by language code, or nothing; French (`fr`) is required where there is any."""
Words = Annotated[OptionalWords, Field(min_length=1)]
"""Text by language code; French (`fr`) is required."""


@cache
def _time_zones() -> frozenset[str]:
    """The names of all time zones, looked for once: they are files of the system."""
    return frozenset(available_timezones())


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(_Part):
    """First and last civil day of the programme, both included."""

    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_day < self.first_day:
            raise ValueError("last_day comes before first_day")
        return self


class StageText(_Part):
    """A funnel stage: its target over the period (people) and its one definition, in words."""

    target: int = Field(ge=0)
    labels: Words
    definition: Words


class TerritoryConfig(_Part):
    """A local platform: the communes it covers by postal code, and its starting weight if it is not its open people."""

    code: str = Field(pattern=r"^[a-z0-9-]{2,40}$")
    label: str
    postal_codes: tuple[str, ...] = ()
    weight: int | None = Field(default=None, ge=1)

    @field_validator("postal_codes")
    @classmethod
    def _five_digits(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [code for code in codes if not re.fullmatch(r"\d{5}", code)]
        if wrong:
            raise ValueError(f"not a postal code of five digits: {', '.join(wrong)}")
        return codes


class CallingHoursConfig(_Part):
    """When calls may be made, in the young person's own zone; `[start, end)` in local time."""

    weekdays: tuple[Span, ...] = Field(min_length=1)
    saturday: tuple[Span, ...] = ()
    closed_days: tuple[date, ...] = ()
    holidays_country: str = "FR"

    @field_validator("weekdays", "saturday")
    @classmethod
    def _ordered(cls, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        for (_, previous_end), (start, _) in pairwise(spans):
            if start < previous_end:
                raise ValueError("windows overlap or are not in order")
        if any(end <= start for start, end in spans):
            raise ValueError("a window ends before it starts")
        return spans


class SlotConfig(_Part):
    """A class of hours: one or more spans of local time on weekdays, or on Saturday."""

    code: str
    labels: Words
    spans: tuple[Span, ...]
    saturday: bool = False


class LimitsConfig(_Part):
    """How often one person, and one number, may be called. Source of each default: `docs/decisions.md`.

    `contacts_per_30_days`: calls and messages together.
    """

    calls_per_day: int = Field(default=1, ge=1, le=3)
    calls_per_30_days: int = Field(default=4, ge=1)
    contacts_per_30_days: int = Field(default=6, ge=1)
    calls_in_all: int = Field(default=8, ge=1)
    gap_hours_same_day: int = Field(default=2, ge=0, le=12)
    quick_retry_minutes: tuple[int, int] = (15, 60)
    soft_refusal_days: int = Field(default=60, ge=0)
    promise_retry_minutes: int = Field(default=30, ge=1)
    promise_to_team_minutes: int = Field(default=10, ge=0)
    promise_missed_minutes: int = Field(default=60, ge=1)
    call_adult_guardians: bool = False
    guardian_attempts: tuple[Annotated[int, Field(ge=1)], ...] = (3, 6, 8)
    ask_again_after_days: int = Field(default=180, ge=0)

    @field_validator("quick_retry_minutes")
    @classmethod
    def _within_the_day(cls, minutes: tuple[int, int]) -> tuple[int, int]:
        after, until = minutes
        if not 0 <= after < until <= LONGEST_DAY:
            raise ValueError(
                f"a busy call is repeated after the first and before the second, 0 to {LONGEST_DAY} minutes later"
            )
        return minutes


class PlanningConfig(_Part):
    """How much of the queue is planned into a block: calls an officer makes in an hour, officers, and a margin."""

    officers: int = Field(default=8, ge=1)
    calls_per_officer_hour: int = Field(default=12, ge=1)
    margin: float = Field(default=1.5, ge=1.0)


class DispositionConfig(_Part):
    """One entry of the code book; see `callcentre.dispositions.Disposition`."""

    code: str = Field(pattern=r"^[a-z0-9_]{2,40}$")
    labels: Words
    group: Group
    retry: RetryKind
    key: str = Field(pattern=r"^[1-9a-z]$")
    is_contact: bool = False
    reaches_guardian: bool = False
    is_final: bool = False
    closes_as: str | None = None
    stage: str | None = None
    needs: tuple[Need, ...] = ()
    asks: tuple[Need, ...] = ()
    is_retired: bool = False
    hints: OptionalWords = Field(default_factory=dict)
    sign: NumberSign | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.is_final and not self.closes_as:
            raise ValueError("is_final needs closes_as, the reason with which the person leaves the queue")
        if self.closes_as in ENDS_OF_ITS_OWN:
            raise ValueError(
                f'closes_as = "{self.closes_as}" is found by the program itself; use another word'
            )
        if self.retry is RetryKind.CALLBACK and Need.CALLBACK_AT not in self.needs:
            raise ValueError('retry = "callback" needs "callback_at" among needs')
        return self

    def entry(self) -> Disposition:
        """Return the value that the rest of the program uses."""
        return Disposition(**{name: getattr(self, name) for name in type(self).model_fields})


class ScriptConfig(_Part):
    """Opening words for one kind of call; `{first_name}`, `{officer}`, `{programme}`, `{service}` are filled in."""

    kind: Literal["first_call", "retry", "callback", "inbound", "guardian"]
    words: Words

    @field_validator("words")
    @classmethod
    def _known_fields(cls, words: Words) -> Words:
        known = {"first_name", "officer", "service", "programme", "phone"}
        for text in words.values():
            unknown = set(re.findall(r"{(\w+)}", text)) - known
            if unknown:
                raise ValueError(f"unknown field {sorted(unknown)}; known are {sorted(known)}")
        return words


class RouteKind(StrEnum):
    """What a route other than a call is, which decides when it is possible and how it is done."""

    NEXT_NUMBER = "next_number"
    """Another number of theirs: the plan of calls does it."""
    GUARDIAN = "guardian"
    """A guardian's number: the plan of calls does it, by `limits.guardian_attempts`."""
    ASK = "ask"
    """A partner who may know how to reach them."""
    SCHOOL = "school"
    """The school of origin."""
    PEER = "peer"
    """Somebody whom the young person named."""
    MESSAGE = "message"
    EMAIL = "email"
    LETTER = "letter"


class RouteConfig(_Part):
    """A route tried once calls do not work; those of a programme are tried in the order of its file.

    `when`: after all calls were used (`unanswered`), when no usable number is left (`no_number`), or both.
    `wait_days`: how long an answer is waited for before the next route.
    """

    code: str = Field(pattern=r"^[a-z0-9_]{2,40}$")
    kind: RouteKind
    labels: Words
    hints: OptionalWords = Field(default_factory=dict)
    when: tuple[Situation, ...] = Field(default=("no_number", "unanswered"), min_length=1)
    wait_days: int = Field(default=0, ge=0, le=365)


class SegmentConfig(_Part):
    """A group of people whose hours are learnt together, by how the class they left begins; never a protected trait."""

    code: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    labels: Words
    class_begins: tuple[str, ...] = Field(min_length=1)


class MessageConfig(_Part):
    """A message of the plan, or one that officers may send, with its words by language.

    `after_unanswered`: the number of unanswered calls after which it goes; `hours_before`: how long before an
    appointment a reminder goes. `one_way`: the words for a sender that cannot be answered. `whatsapp`: by language, the
    provider's name (HX…) of the template that WhatsApp approved for these words, their fields numbered in order.
    """

    code: str = Field(pattern=r"^[a-z0-9_]{2,40}$")
    kind: Literal["pre_notice", "unanswered", "reminder", "manual"]
    labels: Words
    words: Words
    one_way: Words
    whatsapp: dict[str, str] = Field(default_factory=dict)
    after_unanswered: int | None = Field(default=None, ge=1)
    hours_before: int | None = Field(default=None, ge=1, le=24 * 14)

    @field_validator("words", "one_way")
    @classmethod
    def _known_fields(cls, words: Words) -> Words:
        known = {"service", "phone", "link", "day", "time"}
        for text in words.values():
            unknown = set(re.findall(r"{(\w*)}", text)) - known
            if unknown or text.count("{") != text.count("}"):
                raise ValueError(f"unknown field {sorted(unknown)}; known are {sorted(known)}")
        return words

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "unanswered") != (self.after_unanswered is not None):
            raise ValueError('kind = "unanswered", and only it, needs after_unanswered')
        if (self.kind == "reminder") != (self.hours_before is not None):
            raise ValueError('kind = "reminder", and only it, needs hours_before')
        for language, name in self.whatsapp.items():
            if not re.fullmatch(r"HX[0-9a-f]{32}", name) or language not in self.words:
                raise ValueError(
                    f"whatsapp.{language} needs words.{language}, and HX and 32 signs of 0-9, a-f"
                )
        for language, text in self.one_way.items():
            if not {"{phone}", "{link}"} & set(re.findall(r"{\w+}", text)):
                raise ValueError(f"one_way.{language} needs {{phone}} or {{link}}: nobody can answer it")
        return self

    def text(self, language: str | None, *, answerable: bool) -> str:
        """The words for a person's language, or else in French."""
        words = self.words if answerable else self.one_way
        return words.get(language or "fr") or words["fr"]


class MessagingConfig(_Part):
    """Messages beside the calls: how often, how far from a call, which. `link`: a page to ask for a call."""

    per_30_days: int = Field(default=2, ge=0)
    minutes_from_call: int = Field(default=60, ge=0)
    pre_notice_days: int = Field(default=14, ge=1)
    folds_to_plain: bool = True
    link: str = ""
    service: OptionalWords = Field(default_factory=dict)
    """A short name of the service, since every character of a text costs; else the programme's own."""
    templates: tuple[MessageConfig, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _refuse_repeats("messaging.templates", [template.code for template in self.templates])
        if not self.link and any(
            "{link}" in t for m in self.templates for t in (*m.words.values(), *m.one_way.values())
        ):
            raise ValueError("messaging.link is empty although a message names {link}")
        return self

    def template(self, code: str) -> MessageConfig | None:
        """The template of a code."""
        return next((template for template in self.templates if template.code == code), None)


class ContactConfig(_Part):
    """Somebody of the directory who may call: a school's head, a partner. `numbers`: as they are written, or E.164."""

    name: str = Field(min_length=1, max_length=120)
    kind: Literal["school", "partner"]
    numbers: tuple[str, ...] = Field(min_length=1)


class TelephonyConfig(_Part):
    """Which result of the code book each hint of the telephone provider pre-fills; a hint left out pre-fills none.

    `contacts`: the schools and partners who are recognised when they call or write.
    """

    busy: str | None = None
    no_answer: str | None = None
    machine: str | None = None
    failed: str | None = None
    contacts: tuple[ContactConfig, ...] = ()

    def hints(self) -> dict[str, str]:
        """The results that are pre-filled, by hint."""
        named = {
            "busy": self.busy,
            "no_answer": self.no_answer,
            "machine": self.machine,
            "failed": self.failed,
        }
        return {hint: code for hint, code in named.items() if code}


class IntakeConfig(_Part):
    """Who is in scope, by age on the list's date; how many days of a list are kept, and what for."""

    minimum_age: int = 16
    maximum_age: int = 25
    quarantine_days: int = 7
    correction_days: int = 60
    checked_days: int = 14
    undo_days: int = 30
    minor_clock_months: int = 3


class Programme(_Part):
    """Everything that makes a programme; immutable."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,60}$")]
    labels: Words
    service: Words
    zone: str
    region: str = "FR"
    phone: str | None = None
    period: Period
    stages: dict[str, StageText]
    territories: tuple[TerritoryConfig, ...]
    hours: CallingHoursConfig
    slots: tuple[SlotConfig, ...]
    limits: LimitsConfig = LimitsConfig()
    planning: PlanningConfig = PlanningConfig()
    intake: IntakeConfig = IntakeConfig()
    messaging: MessagingConfig = Field(default_factory=MessagingConfig)
    telephony: TelephonyConfig = Field(default_factory=TelephonyConfig)
    dispositions: tuple[DispositionConfig, ...]
    scripts: tuple[ScriptConfig, ...]
    notice: Words
    """The legal sentence of the first call: who calls, why, where the data comes from, the right to object."""
    skip_reasons: dict[str, Words]
    routes: tuple[RouteConfig, ...] = ()
    """Other routes, in the order in which they are tried; none: who cannot be called is unreachable at once."""
    segments: tuple[SegmentConfig, ...] = ()
    retry: dict[str, Any] = Field(default_factory=dict)
    """Constants of the retry rule in which this programme differs from `config/default.toml`."""
    constants: RetryTuning | None = None
    """All constants of the retry rule, put in by `load_programmes`; without them hours are only rotated."""

    @field_validator("retry")
    @classmethod
    def _known_constants(cls, changes: dict[str, Any]) -> dict[str, Any]:
        check_overrides(changes)
        return changes

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in _time_zones():
            raise ValueError(f"{zone!r} is not a time zone; write one such as Europe/Paris")
        return zone

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if tuple(self.stages) != STAGES:
            raise ValueError(f"stages must be exactly, in order: {', '.join(STAGES)}")
        targets = [stage.target for stage in self.stages.values()]
        if targets != sorted(targets, reverse=True):
            raise ValueError("stages: no target may exceed the one of the stage before")
        _refuse_repeats("slots", [slot.code for slot in self.slots])
        _refuse_repeats("territories", [t.code for t in self.territories])
        _refuse_repeats("territories.postal_codes", [p for t in self.territories for p in t.postal_codes])
        _refuse_repeats("routes", [route.code for route in self.routes])
        _refuse_repeats("segments", [segment.code for segment in self.segments])
        _refuse_repeats("dispositions", [d.code for d in self.dispositions])
        self._check_contacts()
        self._check_limits()
        unknown = set(self.telephony.hints().values()) - {d.code for d in self.dispositions}
        if unknown:
            raise ValueError(f"telephony: no such result in the code book: {', '.join(sorted(unknown))}")
        _refuse_repeats("dispositions.key", [d.key for d in self.dispositions if not d.is_retired])
        missing = {"first_call", "retry", "callback", "inbound", "guardian"} - {s.kind for s in self.scripts}
        if missing:
            raise ValueError(f"scripts: no opening words for {', '.join(sorted(missing))}")
        return self

    def _check_limits(self) -> None:
        """On a number that several people use, the caps of calls and of messages are what holds both together."""
        calls, messages = self.limits.calls_per_30_days, self.messaging.per_30_days
        if calls + messages > self.limits.contacts_per_30_days:
            raise ValueError(
                f"limits.calls_per_30_days ({calls}) and messaging.per_30_days ({messages}) may not add up to more"
                f" than limits.contacts_per_30_days ({self.limits.contacts_per_30_days}):"
                " lower one of them, or raise the last"
            )

    def _check_contacts(self) -> None:
        written = [number for contact in self.telephony.contacts for number in contact.numbers]
        read = {number: phone.parse(number, self.region).e164 for number in written}
        if unreadable := [number for number, e164 in read.items() if e164 is None]:
            raise ValueError(f"telephony.contacts: not a telephone number: {', '.join(unreadable)}")
        _refuse_repeats("telephony.contacts.numbers", [str(read[number]) for number in written])

    @cached_property
    def _contacts(self) -> dict[str | None, ContactConfig]:
        return {
            phone.parse(number, self.region).e164: contact
            for contact in self.telephony.contacts
            for number in contact.numbers
        }

    def contact_of(self, number: str | None) -> ContactConfig | None:
        """The school or partner of the directory whose number this is."""
        return self._contacts.get(phone.parse(number, self.region).e164) if number else None

    @property
    def tz(self) -> ZoneInfo:
        """The programme's zone, in which its days, targets and reports are counted."""
        return ZoneInfo(self.zone)

    def tuning(self, usual: RetryTuning) -> RetryTuning:
        """The constants of the retry rule, with this programme's own; raises ValueError when they do not fit."""
        return usual.overridden(self.retry)

    def with_constants(self, usual: RetryTuning) -> Self:
        """The same programme with all constants of the retry rule; raises ValueError when they do not fit."""
        return self.model_copy(update={"constants": self.tuning(usual)})

    def segment_of(self, class_label: str | None) -> str:
        """The code of the segment of people who left this class; "" for none of those declared."""
        known = " ".join((class_label or "").casefold().split())
        return next(
            (
                segment.code
                for segment in self.segments
                if known and any(known.startswith(start.casefold()) for start in segment.class_begins)
            ),
            "",
        )

    def code_book(self) -> dict[str, Disposition]:
        """The dispositions by code, in the order of the file, retired ones included."""
        return {entry.code: entry.entry() for entry in self.dispositions}

    def script(self, kind: str, language: str) -> str:
        """The opening words of a kind of call, in `language` or else in French."""
        words = next(script.words for script in self.scripts if script.kind == kind)
        return words.get(language) or words["fr"]

    def territory_of(self, postal_code: str | None) -> str | None:
        """The code of the territory that covers a postal code, or None."""
        return next((t.code for t in self.territories if postal_code in t.postal_codes), None)


def load_programmes(folder: Path, usual: RetryTuning | None = None) -> dict[str, Programme]:
    """Read every programme file of a folder, by code; raises ConfigurationError naming file, key and remedy.

    `usual`: the constants of the retry rule that hold where a programme says nothing else.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ConfigurationError(
            file=str(folder),
            key="*.toml",
            problem="there is no programme file.",
            remedy="Put at least one programme there; bouches-du-rhone.toml is the example.",
        )
    programmes: dict[str, Programme] = {}
    for file in files:
        programme = load_programme(file)
        if programme.code in programmes:
            raise ConfigurationError(
                file=file.name,
                key="code",
                problem=f"{programme.code!r} is used by two files.",
                remedy="Rename one.",
            )
        programmes[programme.code] = programme if usual is None else _tuned(programme, usual, file)
    return programmes


def _tuned(programme: Programme, usual: RetryTuning, file: Path) -> Programme:
    try:
        return programme.with_constants(usual)
    except ValueError as error:
        raise ConfigurationError(
            file=file.name,
            key="retry",
            problem=f"{error}.",
            remedy="Correct this table; config/default.toml says what each constant is.",
        ) from error


def load_programme(file: Path) -> Programme:
    """Read and check one programme file."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            file=file.name,
            key="(syntax)",
            problem=f"{error}.",
            remedy="Correct the line named; the file is TOML in UTF-8.",
        ) from error
    try:
        return Programme.model_validate(data)
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise ConfigurationError(
            file=file.name, key=_key(first["loc"]), problem=f"{first['msg']}.", remedy=_remedy(first)
        ) from error


def _refuse_repeats(key: str, values: list[str]) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{key}: written twice: {', '.join(repeated)}")


def _key(location: tuple[int | str, ...]) -> str:
    """Return `territories[2].postal_codes` for ("territories", 2, "postal_codes")."""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return parts.lstrip(".") or "(whole file)"


def _remedy(problem: dict[str, Any]) -> str:
    match problem["type"]:
        case "missing":
            return "Add this key; bouches-du-rhone.toml shows what it looks like."
        case "extra_forbidden":
            return "Remove this key or correct its spelling; it is not known."
        case _:
            return f"Correct this value (read: {problem.get('input')!r:.80})."
