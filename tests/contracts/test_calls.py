"""Bridged calls and calls that come in, walked through as the provider would, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from callcentre.accounts import presence
from callcentre.callqueue.kinds import Lane
from callcentre.callqueue.lease import Lease, reclaim_expired
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.desk import conversation, corrections, inbound_calls, serving, telephony
from callcentre.desk.card import person
from callcentre.desk.telephony import Telephone
from callcentre.errors import NotAllowed
from callcentre.outreach import calls
from callcentre.outreach.calls import Caps, Hint
from callcentre.outreach.kinds import CallChannel
from callcentre.outreach.message_models import InboundCall, ProviderCall
from callcentre.outreach.models import Attempt, Callback
from callcentre.outreach.provider import OutgoingCall, Receipt
from callcentre.planning import delivery
from callcentre.planning.states import states_of
from callcentre.retry.slots import Slot
from callcentre.standin.phone_calls import Script, Walk
from callcentre.standin.world import Faults
from callcentre.web.voice import LONGEST_WAIT, OFFICERS_RING, WAIT_SECONDS
from tests.contracts.exchange import PUBLIC, Exchange, an_exchange

OFFICER, COLLEAGUE = "+33465710088", "+33465710089"
SCHOOL = "+33465710201"
"""Of the directory in the programme's file."""
CAPS = Caps(per_hour=100, per_day=1000)


@pytest.fixture
def exchange(database_url: str, tmp_path: Path) -> Iterator[Exchange]:
    with an_exchange(database_url, tmp_path) as made:
        made.write(lambda s, _: calls.set_line(s, made.user("officer"), OFFICER, now=made.now))
        yield made


def open_attempt(exchange: Exchange) -> tuple[Lease, int, ProviderCall]:
    lease = exchange.take()
    attempt_id = exchange.call(lease)
    call = exchange.write(
        lambda s, _: calls.open_call(
            s, s.get_one(Attempt, attempt_id), CallChannel.BRIDGE, caps=CAPS, now=exchange.now
        )
    )
    return lease, attempt_id, call


def walk(exchange: Exchange, uid: str, script: Script) -> list[str]:
    """Let the stand-in make the call; return whom it rang."""
    before = set(exchange.telephones.calls)
    call = exchange.telephones.call({"To": OFFICER, "From": "+33465710013"}, exchange.now)
    url = f"{PUBLIC}/twilio"
    Walk(exchange.telephones, exchange.post, call, script, exchange.now).outbound(
        f"{url}/bridge/{uid}", f"{url}/officer-leg/{uid}"
    )
    exchange.deliver_all()
    return [c["to"] for sid, c in exchange.telephones.calls.items() if sid not in before]


def ring(exchange: Exchange, uid: str, script: Script) -> Receipt:
    """Let the stand-in take the request and make the call, whose callbacks may be lost; return its answer."""
    call = exchange.telephones.call({"To": OFFICER, "From": "+33465710013"}, exchange.now)
    url = f"{PUBLIC}/twilio"
    posts = [f"{url}/bridge/{uid}", f"{url}/officer-leg/{uid}"]
    post = exchange.without("/dial-done/") if exchange.telephones.faults.lost else exchange.post
    Walk(exchange.telephones, post, call, script, exchange.now).outbound(*posts)
    return Receipt(sid=call["sid"], status="queued")


def seen(exchange: Exchange, attempt_id: int) -> calls.CallView:
    view = exchange.read(lambda s, _: calls.view(s, attempt_id))
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("person", "hint"),
    [
        ("answered", Hint.ANSWERED),
        ("busy", Hint.BUSY),
        ("no-answer", Hint.NO_ANSWER),
        ("failed", Hint.FAILED),
        ("machine", Hint.MACHINE),
    ],
)
def test_how_a_bridged_call_ends_is_a_hint(exchange: Exchange, person: str, hint: Hint) -> None:
    lease, attempt_id, call = open_attempt(exchange)
    rung = walk(exchange, call.uid, Script(person=person))
    assert rung == [OFFICER, exchange.number_of(lease.person_id)]
    assert (seen(exchange, attempt_id).step, seen(exchange, attempt_id).hint) == ("ended", hint)
    attempt = exchange.read(lambda s, _: s.get_one(Attempt, attempt_id))
    assert attempt.disposition is None, "the officer says what the result is"


@pytest.mark.parametrize("lost", ["nothing", "/dial-done/", "/person-leg/"])
def test_seconds_are_seconds_whichever_request_tells_of_them(exchange: Exchange, lost: str) -> None:
    """The stand-in tells minutes beside the seconds, as the provider does: `Duration` and `CallDuration`."""
    _, attempt_id, call = open_attempt(exchange)
    posts = exchange.without(lost)
    leg = exchange.telephones.call({"To": OFFICER, "From": "+33465710013"}, exchange.now)
    url = f"{PUBLIC}/twilio"
    Walk(exchange.telephones, posts, leg, Script(seconds=187), exchange.now).outbound(
        f"{url}/bridge/{call.uid}", f"{url}/officer-leg/{call.uid}"
    )
    for callback in exchange.telephones.due(exchange.now + timedelta(minutes=5)):
        posts(callback.url, callback.form)
    assert seen(exchange, attempt_id).seconds == 187


@pytest.mark.parametrize("script", [Script(keys=""), Script(keys="9"), Script(officer="no-answer")])
def test_without_the_officer_s_key_nobody_is_called(exchange: Exchange, script: Script) -> None:
    _, attempt_id, call = open_attempt(exchange)
    assert walk(exchange, call.uid, script) == [OFFICER]
    assert seen(exchange, attempt_id).hint is None


def test_the_provider_is_asked_to_insist_on_what_becomes_of_the_young_person_s_leg(
    exchange: Exchange,
) -> None:
    _, _, call = open_attempt(exchange)
    answer = exchange.post(f"{PUBLIC}/twilio/accept/{call.uid}", {"CallSid": "CA1", "Digits": "1"})
    assert answer.count("#rc=5&amp;rp=all") == 2, "the leg itself, and the machine detection"


def test_when_we_fail_the_provider_has_something_to_say(exchange: Exchange) -> None:
    said = exchange.post(f"{PUBLIC}/twilio/fallback", {"CallSid": "CA1"})
    assert "incident" in said
    assert "<Hangup" in said


def test_a_key_pressed_twice_calls_once(exchange: Exchange) -> None:
    _, _, call = open_attempt(exchange)
    form = {"CallSid": "CA1", "Digits": "1"}
    url = f"{PUBLIC}/twilio/accept/{call.uid}"
    assert "<Number" in exchange.post(url, form)
    assert "<Number" not in exchange.post(url, form)


def test_after_the_result_a_late_key_calls_nobody(exchange: Exchange) -> None:
    lease, _, call = open_attempt(exchange)
    exchange.say(lease, "no_answer")
    assert "<Number" not in exchange.post(
        f"{PUBLIC}/twilio/accept/{call.uid}", {"CallSid": "CA1", "Digits": "1"}
    )


def stop_in_writing(exchange: Exchange, person_id: int) -> None:
    exchange.write_in(exchange.number_of(person_id), "STOP")


def object_at_the_office(exchange: Exchange, person_id: int) -> None:
    by = exchange.user("supervisor")
    exchange.write(lambda s, d: corrections.oppose(s, d, person_id, source="office", by=by, now=exchange.now))


STOPS = pytest.mark.parametrize("stop", [stop_in_writing, object_at_the_office])


@STOPS
def test_a_stop_between_the_click_and_the_key_calls_nobody(
    exchange: Exchange, stop: Callable[[Exchange, int], None]
) -> None:
    lease, attempt_id, call = open_attempt(exchange)
    stop(exchange, lease.person_id)
    assert walk(exchange, call.uid, Script()) == [OFFICER]
    assert seen(exchange, attempt_id).step == "ended"
    exchange.say(lease, "no_answer")


@STOPS
def test_nobody_is_called_again_under_an_attempt_during_which_a_stop_came(
    exchange: Exchange, stop: Callable[[Exchange, int], None]
) -> None:
    lease = exchange.take()
    attempt_id = exchange.call(lease)
    assert exchange.call(lease) == attempt_id, "a second click is the same call"
    stop(exchange, lease.person_id)
    theirs = Telephone(lease.officer_id, exchange.runtime.settings, exchange.runtime.provider)
    for again in (
        lambda: exchange.call(lease),
        lambda: exchange.write(lambda s, _: telephony.prepare(s, attempt_id, theirs, now=exchange.now)),
    ):
        with pytest.raises(NotAllowed, match="Un stop est arrivé") as refused:
            again()
        assert refused.value.reason == "said_stop"
    exchange.say(lease, "no_answer")


def test_a_sibling_s_objection_and_a_stop_on_another_number_leave_this_call_alone(exchange: Exchange) -> None:
    shared, own = "+33639985555", "+33639985556"
    ana, bilal = exchange.add("Ana", numbers=[shared]), exchange.add("Bilal", numbers=[shared, own])
    lease = open_by_hand(exchange, ana)
    exchange.call(lease)
    object_at_the_office(exchange, bilal)
    exchange.write_in(own, "STOP")
    assert exchange.call(lease)


def test_the_browser_cannot_choose_the_number(exchange: Exchange) -> None:
    lease, _, call = open_attempt(exchange)
    url, officer = f"{PUBLIC}/twilio/softphone", exchange.user("officer")
    stolen = {
        "CallSid": "CA1",
        "From": f"client:officer_{officer + 1}",
        "attempt": call.uid,
        "To": "+33899000000",
    }
    assert "<Number" not in exchange.post(url, stolen)
    own = exchange.post(url, stolen | {"From": f"client:officer_{officer}"})
    assert exchange.number_of(lease.person_id) in own
    assert "+33899000000" not in own


def test_the_same_attempt_may_be_called_again_and_begins_anew(exchange: Exchange) -> None:
    lease, attempt_id, call = open_attempt(exchange)
    walk(exchange, call.uid, Script(person="busy"))
    again = exchange.write(
        lambda s, _: calls.open_call(
            s, s.get_one(Attempt, attempt_id), CallChannel.BRIDGE, caps=CAPS, now=exchange.now
        )
    )
    assert seen(exchange, attempt_id).hint is None
    rung = walk(exchange, again.uid, Script(person="answered", seconds=30))
    assert rung == [OFFICER, exchange.number_of(lease.person_id)]
    assert (seen(exchange, attempt_id).hint, seen(exchange, attempt_id).seconds) == (Hint.ANSWERED, 30)


def test_a_call_that_was_given_up_rings_nobody_later(exchange: Exchange) -> None:
    """The officer was told to dial by hand; were their telephone to ring after all, the person is not rung twice."""
    _, attempt_id, call = open_attempt(exchange)
    exchange.write(lambda s, _: calls.failed(s, attempt_id, None, now=exchange.now))
    assert walk(exchange, call.uid, Script()) == [OFFICER]


# --- a browser that was closed


@pytest.mark.parametrize("told", ["callbacks", "reconciliation"])
def test_a_closed_browser_is_settled_by_callbacks_or_by_reconciliation(exchange: Exchange, told: str) -> None:
    _, attempt_id, call = open_attempt(exchange)
    if told == "reconciliation":
        exchange.telephones.obey(Faults(lost=1.0))
    receipt = ring(exchange, call.uid, Script(person="busy"))
    exchange.write(lambda s, _: calls.asked(s, attempt_id, receipt))
    exchange.deliver_all()
    exchange.later(minutes=3)
    asked = delivery.reconcile_calls(exchange.parcels, now=exchange.now)
    assert asked == (0 if told == "callbacks" else 1)
    assert (seen(exchange, attempt_id).step, seen(exchange, attempt_id).hint) == ("ended", Hint.BUSY)
    assert delivery.reconcile_calls(exchange.parcels, now=exchange.now) == 0, (
        "what is settled is asked about no more"
    )


def test_a_request_cut_off_with_its_process_is_given_up(exchange: Exchange) -> None:
    _, attempt_id, _ = open_attempt(exchange)
    exchange.later(minutes=3)
    assert delivery.reconcile_calls(exchange.parcels, now=exchange.now) == 1
    assert seen(exchange, attempt_id).step == "failed"
    assert delivery.reconcile_calls(exchange.parcels, now=exchange.now) == 0


def test_after_an_unknown_result_a_call_of_another_attempt_is_not_taken_for_this_one(
    exchange: Exchange,
) -> None:
    _, attempt_id, call = open_attempt(exchange)
    receipt = exchange.runtime.provider.call(OutgoingCall(call.uid, OFFICER))
    exchange.write(lambda s, _: calls.asked(s, attempt_id, receipt))
    found = exchange.read(lambda s, _: calls.not_ours_yet(s, exchange.runtime.provider.calls_to(OFFICER)))
    assert found is None


def test_one_attempt_is_not_bridged_twice_at_once(exchange: Exchange) -> None:
    _, attempt_id, call = open_attempt(exchange)
    receipt = exchange.runtime.provider.call(OutgoingCall(call.uid, OFFICER))
    exchange.write(lambda s, _: calls.asked(s, attempt_id, receipt))
    with pytest.raises(NotAllowed, match="déjà en cours"):
        exchange.write(
            lambda s, _: calls.open_call(
                s, s.get_one(Attempt, attempt_id), CallChannel.BRIDGE, caps=CAPS, now=exchange.now
            )
        )


def test_a_second_click_while_the_provider_is_still_asked_rings_nobody_twice(exchange: Exchange) -> None:
    _, attempt_id, call = open_attempt(exchange)
    theirs = Telephone(call.officer_id, exchange.runtime.settings, exchange.runtime.provider)

    def click() -> telephony.Ringing:
        return exchange.write(lambda s, _: telephony.prepare(s, attempt_id, theirs, now=exchange.now))

    with pytest.raises(NotAllowed, match="déjà en cours"):
        click()
    rung = walk(exchange, call.uid, Script(person="busy"))
    assert rung[0] == OFFICER
    again = click()
    assert again.uid != call.uid, "the line was busy: a new call"
    exchange.write(lambda s, _: calls.failed(s, attempt_id, None, now=exchange.now))
    assert click().uid != again.uid, "the provider did not take it"
    exchange.later(minutes=2)
    assert click().line == OFFICER, "a request of which nothing was heard keeps nobody from calling"


def test_the_team_s_cap_stops_the_provider_and_not_the_officers(exchange: Exchange) -> None:
    lease = exchange.take()
    attempt_id = exchange.call(lease)
    with pytest.raises(NotAllowed, match="composez le numéro vous-même"):
        exchange.write(
            lambda s, _: calls.open_call(
                s,
                s.get_one(Attempt, attempt_id),
                CallChannel.BRIDGE,
                caps=Caps(per_hour=0, per_day=10),
                now=exchange.now,
            )
        )
    exchange.say(lease, "no_answer")


def test_events_in_any_order_end_the_same(exchange: Exchange) -> None:
    _, attempt_id, call = open_attempt(exchange)
    url = f"{PUBLIC}/twilio/person-leg/{call.uid}"
    exchange.post(f"{PUBLIC}/twilio/accept/{call.uid}", {"CallSid": "CA1", "Digits": "1"})
    for number, status in (
        (3, "completed"),
        (1, "ringing"),
        (2, "in-progress"),
        (0, "initiated"),
        (3, "completed"),
    ):
        form = {"CallSid": "CA2", "CallStatus": status, "SequenceNumber": str(number), "CallDuration": "61"}
        exchange.post(url, form)
    view = seen(exchange, attempt_id)
    assert (view.step, view.hint, view.seconds) == ("ended", Hint.ANSWERED, 61)


# --- calls that come in


def call_in(
    exchange: Exchange, caller: str, *, officer: str = "no-answer", keys: str = "", officer_keys: str = "1"
) -> InboundCall:
    call = exchange.telephones.call({"From": caller, "To": "+33465710013"}, exchange.now)
    call["direction"] = "inbound"
    script = Script(officer=officer, keys=keys, officer_keys=officer_keys)
    Walk(exchange.telephones, exchange.post, call, script, exchange.now).inbound(
        f"{PUBLIC}/twilio/voice", f"{PUBLIC}/twilio/voice-ended"
    )
    exchange.deliver_all()
    return exchange.read(
        lambda s, _: s.scalars(select(InboundCall).where(InboundCall.provider_sid == call["sid"])).one()
    )


def free(exchange: Exchange, login: str, line: str) -> None:
    """Let an officer be at their desk, with a telephone."""
    exchange.write(lambda s, _: presence.seen(s, exchange.user(login), now=exchange.now))
    exchange.write(lambda s, _: calls.set_line(s, exchange.user(login), line, now=exchange.now))


def turn_of(exchange: Exchange, person_id: int) -> Turn | None:
    return exchange.read(lambda s, _: s.scalar(select(Turn).where(Turn.person_id == person_id)))


def test_a_caller_reaches_the_officer_who_called_last(exchange: Exchange) -> None:
    lease = exchange.take()
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    free(exchange, "colleague", COLLEAGUE)
    call = call_in(exchange, exchange.number_of(lease.person_id), officer="answered")
    assert (call.outcome, call.officer_id) == ("answered", exchange.user("officer"))
    assert [c["to"] for c in exchange.telephones.calls.values()][-1] == OFFICER


@pytest.mark.parametrize(("keys", "outcome"), [("1", "wants_call"), ("", "voicemail")])
def test_a_caller_whom_nobody_takes_is_called_back_next(exchange: Exchange, keys: str, outcome: str) -> None:
    person = exchange.world.people[2]
    call = call_in(exchange, exchange.number_of(person), keys=keys)
    assert call.outcome == outcome
    turn = turn_of(exchange, person)
    assert turn is not None
    assert turn.lane == Lane.MISSED_INBOUND
    assert exchange.take().person_id == person


def ask(exchange: Exchange, sid: str, path: str = "voice", caller: str = "") -> str:
    """What we answer when the provider asks about a call that is on the line."""
    form = {"CallSid": sid, "From": caller, "To": "+33465710013", "CallStatus": "in-progress"}
    return exchange.post(f"{PUBLIC}/twilio/{path}", form)


def test_a_caller_waits_for_an_officer_who_becomes_free(exchange: Exchange) -> None:
    first = ask(exchange, "CA1", caller=exchange.number_of(exchange.world.people[2]))
    assert "tapez 1 pour être rappelé" in first
    assert f"{PUBLIC}/twilio/waiting/1</Redirect>" in first
    assert "/waiting/2" in ask(exchange, "CA1", "waiting/1")
    free(exchange, "officer", OFFICER)
    assert OFFICER in ask(exchange, "CA1", "waiting/2")
    assert "/waiting/4" in ask(exchange, "CA1", "voice-done/2"), "nobody picked up: on the line still"


def test_a_caller_whose_officer_does_not_pick_up_is_offered_to_who_else_is_free(exchange: Exchange) -> None:
    lease = exchange.take()
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    began, path, rung = exchange.now, "voice", []
    while True:
        free(exchange, "officer", OFFICER)
        free(exchange, "colleague", COLLEAGUE)
        answer = ask(exchange, "CA1", path, exchange.number_of(lease.person_id))
        if "<Record" in answer:
            break
        rings = "<Dial" in answer
        if rings:
            rung.append([line for line in (OFFICER, COLLEAGUE) if line in answer])
        exchange.later(seconds=OFFICERS_RING if rings else WAIT_SECONDS)
        [path] = re.findall(r"/twilio/((?:waiting|voice-done)/\d+)", answer)
    assert rung == [[OFFICER], *[[OFFICER, COLLEAGUE]] * 3]
    assert exchange.now - began < inbound_calls.LONGEST_ON_THE_LINE


def test_who_called_first_is_put_through_first(exchange: Exchange) -> None:
    for sid, caller in (("CA1", "+33639987777"), ("CA2", "+33639988888")):
        assert "<Redirect>" in ask(exchange, sid, caller=caller)
    free(exchange, "officer", OFFICER)
    assert OFFICER not in ask(exchange, "CA2", "waiting/1")
    assert OFFICER in ask(exchange, "CA1", "waiting/1")
    ask(exchange, "CA1", "voice-ended")
    assert OFFICER in ask(exchange, "CA2", "waiting/2")


def test_nobody_waits_behind_a_call_whose_end_was_never_told(exchange: Exchange) -> None:
    ask(exchange, "CA1", caller="+33639987777")
    exchange.later(minutes=3)
    free(exchange, "officer", OFFICER)
    assert OFFICER in ask(exchange, "CA2", caller="+33639988888")


def test_nobody_waits_for_ever(exchange: Exchange) -> None:
    ask(exchange, "CA1", caller="+33639987777")
    answers = [ask(exchange, "CA1", f"waiting/{turn}") for turn in range(1, LONGEST_WAIT + 1)]
    assert all("<Redirect>" in answer for answer in answers[:-1])
    assert "<Record" in answers[-1]
    assert "<Redirect>" not in answers[-1]


def test_an_officer_s_voicemail_takes_no_caller(exchange: Exchange) -> None:
    """It picks up and presses nothing: the caller is offered to be called back, as if nobody had answered."""
    free(exchange, "officer", OFFICER)
    person = exchange.world.people[2]
    call = call_in(exchange, exchange.number_of(person), officer="answered", officer_keys="", keys="1")
    assert call.outcome == "wants_call"
    [leg] = [c for c in exchange.telephones.calls.values() if c["parent_call_sid"]]
    assert leg["duration"] == "8", "let go after the question, never connected"


def test_of_several_telephones_the_call_is_whose_key_was_pressed(exchange: Exchange) -> None:
    free(exchange, "officer", OFFICER)
    free(exchange, "colleague", COLLEAGUE)
    call = call_in(exchange, "+33639987777")
    second = exchange.user("colleague")
    url, form = f"{PUBLIC}/twilio/taken/{call.id}", {"CallSid": "CA1", "Digits": "1"}
    exchange.write(lambda s, _: setattr(s.get_one(InboundCall, call.id), "outcome", None))
    assert "<Hangup" not in exchange.post(f"{url}/{second}", form)
    assert "<Hangup" in exchange.post(f"{url}/{exchange.user('officer')}", form), "a colleague was quicker"
    taken = exchange.read(lambda s, _: s.get_one(InboundCall, call.id))
    assert (taken.outcome, taken.officer_id) == ("answered", second)


def test_a_call_that_an_officer_took_is_shown_to_them_with_everybody_it_may_be(exchange: Exchange) -> None:
    shared = "+33639985555"
    names = {exchange.add("Ana", numbers=[shared]): "Ana", exchange.add("Bilal", numbers=[shared]): "Bilal"}
    free(exchange, "officer", OFFICER)
    assert call_in(exchange, shared, officer="answered").outcome == "answered"

    def waiting(login: str) -> list[conversation.Waiting]:
        return exchange.read(lambda s, d: conversation.inbox(s, d, officer_id=exchange.user(login)))

    [shown] = waiting("officer")
    assert (shown.kind, {one.first_name for one in shown.people}) == ("answered", set(names.values()))
    assert waiting("colleague") == []
    assert all(turn_of(exchange, person) is None for person in names), (
        "nobody is called back who was spoken to"
    )


def refused_once(exchange: Exchange) -> Lease:
    """Somebody who said "not now" this morning: no call of ours for two months."""
    lease = exchange.take()
    exchange.call(lease)
    exchange.say(lease, "not_now")
    exchange.later(minutes=20)
    free(exchange, "officer", OFFICER)
    return lease


def open_by_hand(exchange: Exchange, person_id: int, login: str = "officer") -> Lease:
    return exchange.write(
        lambda s, d: serving.open_card(s, d, person_id, officer_id=exchange.user(login), now=exchange.now)
    )


def test_somebody_who_rang_and_was_cut_off_is_rung_back_once(exchange: Exchange) -> None:
    before = refused_once(exchange)
    assert call_in(exchange, exchange.number_of(before.person_id), officer="answered").outcome == "answered"
    lease = open_by_hand(exchange, before.person_id)
    [number] = exchange.read(lambda s, d: person(s, d, lease.person_id, now=exchange.now)).numbers
    assert number.refused is None
    exchange.call(lease)
    exchange.later(minutes=1)
    exchange.say(lease, "no_answer")
    exchange.later(minutes=5)
    with pytest.raises(NotAllowed):
        exchange.call(open_by_hand(exchange, before.person_id))


def test_a_call_that_an_officer_took_or_long_ago_lets_no_colleague_ring_back(exchange: Exchange) -> None:
    before = refused_once(exchange)
    call_in(exchange, exchange.number_of(before.person_id), officer="answered")
    with pytest.raises(NotAllowed):
        exchange.call(open_by_hand(exchange, before.person_id, "colleague"))
    exchange.later(hours=6)
    exchange.write(lambda s, _: reclaim_expired(s, now=exchange.now))
    with pytest.raises(NotAllowed):
        exchange.call(open_by_hand(exchange, before.person_id))


def test_somebody_who_rings_in_vain_while_their_card_is_open_is_rung_back(exchange: Exchange) -> None:
    before = refused_once(exchange)
    lease = open_by_hand(exchange, before.person_id)
    with pytest.raises(NotAllowed):
        exchange.call(lease)
    assert call_in(exchange, exchange.number_of(lease.person_id)).outcome == "voicemail"
    assert exchange.call(lease)


@pytest.mark.parametrize(("said", "direction"), [("has_solution", "inbound"), ("no_answer", "outbound")])
def test_what_a_caller_said_to_the_officer_who_took_the_call_is_no_call_of_ours(
    exchange: Exchange, said: str, direction: str
) -> None:
    free(exchange, "officer", OFFICER)
    caller = exchange.world.people[0]
    number = exchange.number_of(caller)
    assert call_in(exchange, number, officer="answered").outcome == "answered"
    attempt_id = exchange.say(open_by_hand(exchange, caller), said).attempt_id
    attempt = exchange.read(lambda s, _: s.get_one(Attempt, attempt_id))
    assert (attempt.direction, attempt.slot) == (direction, "morning")
    programme = exchange.world.programme
    state = exchange.read(lambda s, d: states_of(s, programme, d.programme_id, [caller]))[caller]
    assert len(state.calls) == (direction == "outbound"), "a call received is under no cap"
    assert state.answered_slots == ((Slot.MORNING,) if direction == "inbound" else ())


def test_a_promised_call_goes_before_who_called_last(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    free(exchange, "officer", OFFICER)
    free(exchange, "colleague", COLLEAGUE)
    lease = exchange.take("officer")
    exchange.call(lease)
    at = exchange.now + timedelta(hours=6)
    exchange.say(lease, "call_back", callback_at=at)
    exchange.write(lambda s, _: s.execute(update(Callback).values(officer_id=exchange.user("colleague"))))
    assert lease.person_id == person
    call = call_in(exchange, number, officer="answered")
    assert call.officer_id == exchange.user("colleague")


def test_a_busy_officer_is_not_rung(exchange: Exchange) -> None:
    free(exchange, "officer", OFFICER)
    exchange.call(exchange.take("officer"))
    call_in(exchange, exchange.number_of(exchange.world.people[2]), officer="answered")
    assert OFFICER not in [c["to"] for c in exchange.telephones.calls.values()]


def test_a_school_of_the_directory_is_recognised_and_named_to_who_is_rung(exchange: Exchange) -> None:
    free(exchange, "officer", OFFICER)
    call = call_in(exchange, SCHOOL, officer="no-answer")
    said = exchange.post(f"{PUBLIC}/twilio/offered/{call.id}/{exchange.user('officer')}", {"CallSid": "CA9"})
    assert "Appel de Lycée professionnel des Calanques." in said
    [shown] = exchange.read(lambda s, d: conversation.inbox(s, d, officer_id=exchange.user("officer")))
    assert shown.contact is not None
    assert (shown.contact.kind, shown.people) == ("school", ())


@pytest.mark.parametrize("hidden", ["", "anonymous", "Restricted", "+266696687"])
def test_a_hidden_number_is_taken_for_nobody_s(exchange: Exchange, hidden: str) -> None:
    call = call_in(exchange, hidden, keys="1")
    assert (call.caller, call.number_id, call.outcome) == (None, None, "wants_call")
    assert exchange.read(lambda s, _: s.scalars(select(Turn.lane)).all()) == []


def test_whoever_called_in_vain_comes_before_a_promise_and_a_reply(exchange: Exchange) -> None:
    promised, replied, called = exchange.world.people
    exchange.write_in(exchange.number_of(promised), "Rappel 15h")
    exchange.clock.move_to(exchange.now.replace(hour=14, minute=5))
    exchange.write_in(exchange.number_of(replied), "Oui")
    call_in(exchange, exchange.number_of(called))
    assert [exchange.take(who).person_id for who in ("officer", "colleague")] == [called, promised]


def test_outside_the_hours_a_caller_hears_so_and_is_called_at_the_opening(exchange: Exchange) -> None:
    exchange.later(hours=11)
    person = exchange.world.people[1]
    assert call_in(exchange, exchange.number_of(person)).outcome == "closed"
    exchange.later(hours=13)
    assert exchange.take().person_id == person


def test_a_call_during_a_long_closure_is_returned_at_the_opening(exchange: Exchange) -> None:
    person = exchange.world.people[1]
    exchange.close_for(40)
    exchange.later(days=1)
    assert call_in(exchange, exchange.number_of(person)).outcome == "closed"
    exchange.later(days=41)
    lease = exchange.take()
    assert (lease.person_id, lease.lane) == (person, Lane.MISSED_INBOUND)


def test_a_hidden_number_is_nobody_s_and_waits_in_the_inbox(exchange: Exchange) -> None:
    call = call_in(exchange, "anonymous")
    assert (call.caller, call.number_id, call.outcome) == (None, None, "voicemail")


def test_everybody_on_a_shared_phone_is_called_back(exchange: Exchange) -> None:
    shared = "+33639985555"
    people = [exchange.add("Ana", numbers=[shared]), exchange.add("Bilal", numbers=[shared])]
    call_in(exchange, shared, keys="1")
    lanes = [turn.lane for person in people if (turn := turn_of(exchange, person)) is not None]
    assert lanes == [Lane.MISSED_INBOUND] * 2


def judged(exchange: Exchange, disposition: str) -> tuple[int, str]:
    """Somebody whose only number is dead, or a stranger's; the number. Two days later."""
    lease = exchange.take()
    exchange.call(lease)
    exchange.say(lease, disposition)
    exchange.later(days=2)
    return lease.person_id, exchange.number_of(lease.person_id)


def test_a_dead_number_that_calls_lives_and_is_called_back(exchange: Exchange) -> None:
    person, number = judged(exchange, "dead_number")
    call_in(exchange, number)
    lease = exchange.take()
    assert (lease.person_id, lease.lane) == (person, Lane.MISSED_INBOUND)
    assert exchange.call(lease)


def test_a_stranger_who_asks_who_called_is_shown_and_not_called_by_the_queue(exchange: Exchange) -> None:
    person, number = judged(exchange, "wrong_number")
    call_in(exchange, number)
    assert turn_of(exchange, person) is None
    left = exchange.read(
        lambda s, _: s.scalars(select(QueueEntry.closed_reason).where(QueueEntry.person_id == person)).one()
    )
    assert left == "details_to_find"
    waiting = exchange.read(lambda s, d: conversation.inbox(s, d, officer_id=exchange.user("officer")))
    assert [one.person_id for one in waiting[0].people] == [person]


@pytest.mark.parametrize("hours", [0, 24])
def test_an_officer_may_ring_back_a_number_that_seemed_wrong(exchange: Exchange, hours: int) -> None:
    person_id, number = judged(exchange, "wrong_number")
    call_in(exchange, number)
    exchange.later(hours=hours)
    lease = open_by_hand(exchange, person_id)
    [shown] = exchange.read(lambda s, d: person(s, d, person_id, now=exchange.now)).numbers
    assert shown.refused is None
    exchange.call(lease, shown.id)
    exchange.say(lease, "no_answer")
    exchange.later(days=1)
    with pytest.raises(NotAllowed):
        exchange.call(open_by_hand(exchange, person_id), shown.id)


def test_who_calls_from_a_number_that_said_stop_is_called_back_on_another(exchange: Exchange) -> None:
    person_id = exchange.add("Ana", numbers=["+33639984321", "+33639984322"])
    exchange.post(f"{PUBLIC}/twilio/inbound", {"MessageSid": "SM1", "From": "+33639984322", "Body": "STOP"})
    call_in(exchange, "+33639984322")
    lease = exchange.take()
    assert (lease.person_id, lease.lane) == (person_id, Lane.MISSED_INBOUND)
    assert exchange.call(lease)
