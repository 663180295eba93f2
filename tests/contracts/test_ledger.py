"""The balance counts claims that are still being committed, once; on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from callcentre.callqueue.ledger import CLAIM_KEPT, Ledger
from callcentre.callqueue.models import LeaseLog
from callcentre.planning.blocks import plan_on_the_spot
from tests.contracts.conftest import Office


def asked(office: Office, ledger: Ledger, *tokens: str) -> list[int | None]:
    """Whose turn it is for claims that ask one after another, none of which is in the database yet."""
    day = office.now.date()
    return office.read(
        lambda s, d: [
            ledger.take_turn(s, d.programme_id, token=token, day=day, now=office.now)[0] for token in tokens
        ]
    )


def ready(office: Office) -> Ledger:
    for number in range(9):
        place = office.world.programme.territories[number % 3].code
        office.add("Ada", family_name=f"Essai{number}", territory=place)
    office.write(lambda s, d: plan_on_the_spot(s, d.programme, d.programme_id, now=office.now))
    return Ledger()


def test_officers_who_ask_at_the_same_moment_take_turns(office: Office) -> None:
    ledger = ready(office)
    one, two = asked(office, ledger, "one", "two")
    assert one != two


def test_a_claim_that_found_nobody_gives_its_turn_back(office: Office) -> None:
    ledger = ready(office)
    first = asked(office, ledger, "one")
    day, programme = office.now.date(), office.world.programme_id
    ledger.settle(programme, day=day, token="one", territory=None)
    assert asked(office, ledger, "two") == first


def test_a_claim_that_is_in_the_database_is_counted_once(office: Office) -> None:
    ready(office)
    ledger, fresh = office.read(lambda _, d: d.ledger), Ledger()
    for login in ("officer", "colleague", "supervisor"):
        office.take(login)
        assert asked(office, ledger, f"next-{login}") == asked(office, fresh, f"next-{login}")
        for each in (ledger, fresh):
            each.settle(
                office.world.programme_id, day=office.now.date(), token=f"next-{login}", territory=None
            )


def test_a_claim_that_was_never_committed_is_forgotten(office: Office) -> None:
    ledger = ready(office)
    first = asked(office, ledger, "cut off")
    assert asked(office, ledger, "other") != first
    ledger.settle(office.world.programme_id, day=office.now.date(), token="other", territory=None)
    office.clock.advance(CLAIM_KEPT + timedelta(seconds=1))
    assert asked(office, ledger, "later") == first


def test_a_lease_counts_once_from_its_claim_to_its_end(office: Office) -> None:
    ready(office)
    ledger = Ledger()
    for login in ("officer", "colleague"):
        lease = office.take(login)
        held = served_of(office, ledger)
        office.say(lease, "no_answer")
        assert served_of(office, ledger) == held == served_of(office, Ledger())


def test_a_lease_that_ends_under_an_earlier_number_than_others_is_counted(office: Office) -> None:
    """A transaction may commit after one that took a later number of the log."""
    ready(office)
    ledger = Ledger()
    for login in ("officer", "colleague"):
        office.say(office.take(login), "no_answer")
    office.write(lambda s, _: s.execute(update(LeaseLog).values(id=LeaseLog.id + 10)))
    served_of(office, ledger)
    late = office.take("supervisor")
    office.say(late, "no_answer")
    office.write(lambda s, _: s.execute(update(LeaseLog).where(LeaseLog.token == late.token).values(id=2)))
    assert served_of(office, ledger) == served_of(office, Ledger())
    assert sum(served_of(office, ledger).values()) == 3


def served_of(office: Office, ledger: Ledger) -> dict[int, int]:
    day = office.now.date()
    positions = office.read(lambda s, d: ledger.positions(s, d.programme_id, day=day, now=office.now))
    return {territory: position.served for territory, position in positions.items()}
