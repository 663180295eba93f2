"""When a message may leave: pure rules, asked when it is planned and again at the moment of sending."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from callcentre.outreach.kinds import MessageKind
from callcentre.programmes import PERIOD
from callcentre.retry.windows import CallingHours


class Bar(StrEnum):
    """Why a message does not leave now, or ever."""

    OPTED_OUT = "opted_out"
    OPPOSED = "opposed"
    LANDLINE = "landline"
    UNUSABLE = "unusable"
    OUTSIDE_HOURS = "outside_hours"
    NEAR_A_CALL = "near_a_call"
    MESSAGE_CAP = "message_cap"
    CONTACT_CAP = "contact_cap"
    NO_LONGER_WANTED = "no_longer_wanted"
    NO_CONSENT = "no_consent"
    WINDOW_CLOSED = "window_closed"
    """On WhatsApp, more than 24 hours after what the person last wrote."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """How often and how far from calls; sources in the programme's file."""

    messages_in_period: int
    contacts_in_period: int
    """Calls and messages together."""
    period: timedelta = PERIOD
    from_call: timedelta = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Recipient:
    """What the rules need to know of a person whom a message is for.

    `messages` and `calls`: instants that count for the person, oldest first. `next_call`: when they are to be called,
    as far as that is fixed (a turn in the queue, a promise); `wanted` False when what the message is for is over.
    """

    person_id: int
    zone: ZoneInfo
    messages: tuple[datetime, ...] = ()
    calls: tuple[datetime, ...] = ()
    next_call: datetime | None = None
    opposed: bool = False
    wanted: bool = True


WINDOW = timedelta(hours=24)
"""How long after what somebody wrote on WhatsApp free text may be sent; later only an approved template (its rule)."""


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """What a number agreed to. `standing`: since when; `heard_at`: when it last wrote there."""

    standing: datetime | None = None
    heard_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether free text may be sent now."""
        return self.heard_at is not None and now < self.heard_at + WINDOW


@dataclass(frozen=True, slots=True)
class Destination:
    """The number: `messages` and `calls` to it, for anybody. `textable`: a mobile; `usable`: not wrong, not dead.

    `whatsapp`: what it agreed to there, for a message that would go that way; None for a text message.
    """

    opted_out: bool = False
    textable: bool = True
    usable: bool = True
    messages: tuple[datetime, ...] = ()
    calls: tuple[datetime, ...] = ()
    whatsapp: WhatsApp | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`bar` None: it may leave now, for `recipients`. With `until`, ask again then; without, it never will."""

    bar: Bar | None = None
    until: datetime | None = None
    recipients: tuple[int, ...] = ()


def may_leave(
    kind: MessageKind,
    destination: Destination,
    recipients: Sequence[Recipient],
    *,
    hours: CallingHours,
    limits: SendingLimits,
    now: datetime,
    approved: bool = False,
) -> Verdict:
    """Tell whether a message may leave now, and for whom; an answer to what somebody wrote uses up no cap.

    `approved`: its words are a template that WhatsApp knows.
    """
    if destination.opted_out:
        return Verdict(Bar.OPTED_OUT)
    if not destination.textable:
        return Verdict(Bar.LANDLINE)
    if not destination.usable:
        return Verdict(Bar.UNUSABLE)
    if destination.whatsapp is not None:
        bar = whatsapp_bar(kind, destination.whatsapp, approved=approved, now=now)
        if bar is not None:
            return Verdict(bar)
    wanted = [one for one in recipients if one.wanted and not one.opposed]
    if not wanted:
        opposed = any(one.opposed for one in recipients)
        return Verdict(Bar.OPPOSED if opposed else Bar.NO_LONGER_WANTED)
    everyone = tuple(one.person_id for one in wanted)
    if kind is MessageKind.ANSWER:
        return Verdict(recipients=everyone)
    judged = [_for_one(one, destination, hours, limits, now) for one in wanted]
    clear = tuple(one.person_id for one, verdict in zip(wanted, judged, strict=True) if verdict.bar is None)
    if clear:
        return Verdict(recipients=clear)
    return min(judged, key=lambda verdict: verdict.until or datetime.max.replace(tzinfo=now.tzinfo))


def whatsapp_bar(kind: MessageKind, agreed: WhatsApp, *, approved: bool, now: datetime) -> Bar | None:
    """Tell what keeps a message from WhatsApp: a message of the plan needs a consent that stands and approved words.

    Who wrote there in the last day may be answered in any words, and has agreed to nothing more.
    """
    answers = kind in (MessageKind.ANSWER, MessageKind.MANUAL)
    if answers and agreed.is_open(now):
        return None
    if agreed.standing is None:
        return Bar.WINDOW_CLOSED if answers and agreed.heard_at is not None else Bar.NO_CONSENT
    return None if approved or agreed.is_open(now) else Bar.WINDOW_CLOSED


def _for_one(
    person: Recipient,
    destination: Destination,
    hours: CallingHours,
    limits: SendingLimits,
    now: datetime,
) -> Verdict:
    calls = sorted({*person.calls, *destination.calls})
    near = _near_a_call(calls, person.next_call, limits, now)
    if near is not None:
        return Verdict(Bar.NEAR_A_CALL, near)
    for messages, called in (
        (person.messages, person.calls),
        (destination.messages, destination.calls),
    ):
        if until := _free_again(messages, limits.period, limits.messages_in_period, now):
            return Verdict(Bar.MESSAGE_CAP, until)
        together = sorted((*messages, *called))
        if until := _free_again(together, limits.period, limits.contacts_in_period, now):
            return Verdict(Bar.CONTACT_CAP, until)
    if not hours.is_open(now, person.zone):
        return Verdict(Bar.OUTSIDE_HOURS, hours.next_opening(now, person.zone))
    return Verdict(recipients=(person.person_id,))


def _near_a_call(
    calls: Sequence[datetime], next_call: datetime | None, limits: SendingLimits, now: datetime
) -> datetime | None:
    """Return when it is far enough from the calls, or None when it is now."""
    after = calls[-1] + limits.from_call if calls else now
    if next_call is not None and now > next_call - limits.from_call:
        after = max(after, max(now, next_call) + limits.from_call)
    return after if after > now else None


def _free_again(moments: Iterable[datetime], period: timedelta, cap: int, now: datetime) -> datetime | None:
    """Return when one more is allowed within any period, or None when it is now."""
    recent = sorted(moment for moment in moments if moment > now - period)
    if len(recent) < cap:
        return None
    return recent[-cap] + period if cap else now + period
