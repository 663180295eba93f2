"""Accounts: what may be created, changed and closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from callcentre.accounts import presence, queries, sign_in, users
from callcentre.accounts.kinds import Density, Language, PauseReason, PresenceState, Role, Theme
from callcentre.accounts.secrets import check_password_rules, new_password, password_matches
from callcentre.database import make_engine, make_session_factory, writing
from callcentre.directory.models import Programme, Territory
from callcentre.errors import InvalidInput, NotAllowed, NotFound

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PASSWORD = "Une phrase assez longue 7"
LIMITS = sign_in.SessionLimits(idle=timedelta(hours=8), absolute=timedelta(hours=12))


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """A writing transaction on each kind of database."""
    engine = make_engine(database_url)
    with writing(make_session_factory(engine)) as session:
        yield session
    engine.dispose()


def add(session: Session, login: str = "officer", role: Role = Role.OFFICER) -> int:
    return users.create_user(
        session, login, display_name=login.title(), role=role, password=PASSWORD, now=NOW
    )


def sign(session: Session, user_id: int, now: datetime = NOW) -> str:
    return sign_in.open_session(
        session, user_id, address="127.0.0.1", device="Firefox/140", limits=LIMITS, now=now
    )


def visitor(session: Session, token: str, now: datetime) -> queries.Visitor | None:
    return queries.visitor_of_session(session, token, idle=LIMITS.idle, now=now)


def test_a_login_is_unique_whatever_its_capitals(session: Session) -> None:
    add(session, "camille.roux")
    with pytest.raises(InvalidInput) as refused:
        add(session, " Camille.Roux ")
    assert refused.value.field == "login"


@pytest.mark.parametrize("login", ["", "a", "léa", "two words", "x" * 81, "-dash"])
def test_a_login_that_nobody_could_type_is_refused(session: Session, login: str) -> None:
    with pytest.raises(InvalidInput):
        add(session, login)


def test_a_password_is_kept_as_a_salted_argon2_hash(session: Session) -> None:
    add(session, "one"), add(session, "two")
    hashes = {name: sign_in.account_of(session, name) for name in ("one", "two")}
    one, two = hashes["one"], hashes["two"]
    assert one is not None
    assert two is not None
    assert one.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one.password_hash != two.password_hash
    assert password_matches(one.password_hash, PASSWORD)
    assert not password_matches(one.password_hash, PASSWORD + " ")
    assert not password_matches(None, PASSWORD)


@pytest.mark.parametrize(
    ("password", "is_enough"),
    [
        ("Correct cheval pile", True),
        ("abcdefghijklmN1", True),
        ("abcdeFGH1!xy", True),
        ("abcdeFGH1!x", False),
        ("abcdefghijklmnopq", False),
        ("Azerty-Azerty-1234", False),
        ("officer-Officer-99", False),
        ("", False),
        ("Aa1!" * 51, False),
    ],
)
def test_a_new_password_is_long_and_mixed_enough(password: str, is_enough: bool) -> None:
    if is_enough:
        check_password_rules(password, login="officer")
    else:
        with pytest.raises(InvalidInput):
            check_password_rules(password, login="officer")


def test_a_temporary_password_obeys_the_rules_and_is_never_the_same() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_password_rules(password)


def test_closing_an_account_ends_its_sessions_and_its_presence(session: Session) -> None:
    officer = add(session)
    token = sign(session, officer)
    presence.seen(session, officer, now=NOW)
    users.set_active(session, officer, False, now=NOW)
    assert visitor(session, token, NOW) is None
    assert queries.officers_present(session, NOW) == ()


def test_the_last_open_administrator_cannot_be_closed_or_demoted(session: Session) -> None:
    first, second = add(session, "first", Role.ADMINISTRATOR), add(session, "second", Role.ADMINISTRATOR)
    users.set_role(session, first, Role.OFFICER)
    with pytest.raises(NotAllowed):
        users.set_role(session, second, Role.SUPERVISOR)
    with pytest.raises(NotAllowed):
        users.set_active(session, second, False, now=NOW)


def test_preferences_change_one_by_one(session: Session) -> None:
    officer = add(session)
    users.set_preferences(session, officer, theme=Theme.DARK)
    users.set_preferences(session, officer, language=Language.ENGLISH, single_keys=False)
    users.set_preferences(session, officer, density=Density.COMPACT)
    found = queries.user(session, officer)
    assert found is not None
    assert (found.theme, found.language, found.single_keys, found.density) == ("dark", "en", False, "compact")


def test_the_psads_an_officer_follows_are_replaced_as_a_whole(session: Session) -> None:
    programme = Programme(code="one", label="One")
    session.add(programme)
    session.flush()
    territories = [
        Territory(programme_id=programme.id, code=code, label=code, position=n)
        for n, code in enumerate("abc")
    ]
    session.add_all(territories)
    session.flush()
    a, b, c = (territory.id for territory in territories)
    officer = add(session)
    users.set_territories(session, officer, [a, b, b])
    users.set_territories(session, officer, [c, b])
    assert queries.territories_of(session, officer) == (b, c)
    assert queries.users(session)[0].territory_ids == (b, c)


def test_changing_somebody_who_does_not_exist_is_said(session: Session) -> None:
    with pytest.raises(NotFound):
        users.rename(session, 12345, "Personne")


def test_a_session_ends_when_unused_or_at_its_absolute_end(session: Session) -> None:
    officer = add(session)
    token = sign(session, officer)
    assert visitor(session, token, NOW + timedelta(hours=7, minutes=59)) is not None
    assert visitor(session, token, NOW + timedelta(hours=8)) is None
    found = visitor(session, token, NOW + timedelta(hours=7))
    assert found is not None
    assert found.session_id is not None
    sign_in.touch_session(session, found.session_id, now=NOW + timedelta(hours=7))
    assert visitor(session, token, NOW + timedelta(hours=11, minutes=59)) is not None
    assert visitor(session, token, NOW + timedelta(hours=12)) is None


def test_a_revoked_device_is_out_and_the_others_stay(session: Session) -> None:
    officer, colleague = add(session), add(session, "colleague")
    here, stolen, theirs = sign(session, officer), sign(session, officer), sign(session, colleague)
    found = visitor(session, stolen, NOW)
    assert found is not None
    assert found.session_id is not None
    assert not sign_in.close_session(session, found.session_id, user_id=colleague, now=NOW)
    assert sign_in.close_session(session, found.session_id, user_id=officer, now=NOW)
    assert not sign_in.close_session(session, found.session_id, user_id=officer, now=NOW)
    assert [visitor(session, token, NOW) is not None for token in (here, stolen, theirs)] == [
        True,
        False,
        True,
    ]


def test_signing_out_everywhere_may_keep_one_device(session: Session) -> None:
    officer = add(session)
    tokens = [sign(session, officer) for _ in range(3)]
    kept = visitor(session, tokens[1], NOW)
    assert kept is not None
    assert sign_in.close_all_sessions(session, officer, now=NOW, keep=kept.session_id) == 2
    assert [visitor(session, token, NOW) is not None for token in tokens] == [False, True, False]
    assert len(queries.devices(session, officer, idle=LIMITS.idle, now=NOW)) == 1


def test_a_personal_token_opens_until_it_expires_or_is_revoked(session: Session) -> None:
    officer, colleague = add(session), add(session, "colleague")
    short = sign_in.create_token(session, officer, "Tableur", now=NOW, lifetime=timedelta(days=30))
    endless = sign_in.create_token(session, officer, "Sauvegarde", now=NOW)
    late = NOW + timedelta(days=30)
    assert queries.visitor_of_token(session, short, now=late - timedelta(seconds=1)) is not None
    assert queries.visitor_of_token(session, short, now=late) is None
    found = queries.visitor_of_token(session, endless, now=late)
    assert found is not None
    assert found.token_id is not None
    assert found.user.login == "officer"
    assert not sign_in.revoke_token(session, found.token_id, user_id=colleague, now=late)
    assert sign_in.revoke_token(session, found.token_id, user_id=officer, now=late)
    assert queries.visitor_of_token(session, endless, now=late) is None
    assert queries.visitor_of_token(session, "cct_nonsense", now=NOW) is None


def test_no_secret_is_readable_in_the_tables(session: Session) -> None:
    from sqlalchemy import text

    officer = add(session)
    token, personal = sign(session, officer), sign_in.create_token(session, officer, "T", now=NOW)
    sign_in.record_failure(session, "Mot-de-passe-tapé", "192.0.2.1", now=NOW)
    for table in ("users", "user_sessions", "api_tokens", "sign_in_failures"):
        content = repr(session.execute(text(f"SELECT * FROM {table}")).all())
        for secret in (token, personal, PASSWORD, "tapé", "192.0.2.1"):
            assert secret not in content


def test_the_wait_doubles_with_each_failure_and_ends(session: Session) -> None:
    def wait(login: str = "officer", address: str = "192.0.2.1", now: datetime = NOW) -> int:
        return int(sign_in.wait_before_sign_in(session, login, address, now=now).total_seconds())

    waits = []
    for _ in range(8):
        sign_in.record_failure(session, "officer", "192.0.2.1", now=NOW)
        waits.append(wait())
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240]
    assert wait("colleague") == 0
    assert wait("Officer ", "192.0.2.99") == 240
    assert wait(now=NOW + timedelta(seconds=240)) == 0
    assert wait(now=NOW + timedelta(minutes=15)) == 0


def test_an_address_that_tries_many_logins_waits_too(session: Session) -> None:
    for n in range(20):
        sign_in.record_failure(session, f"guess{n}", "192.0.2.1", now=NOW)
    assert sign_in.wait_before_sign_in(session, "officer", "192.0.2.1", now=NOW) == timedelta(seconds=30)
    assert sign_in.wait_before_sign_in(session, "officer", "192.0.2.2", now=NOW) == timedelta(0)


def test_signing_in_forgets_the_failures_of_the_login(session: Session) -> None:
    officer = add(session)
    for _ in range(4):
        sign_in.record_failure(session, "officer", "192.0.2.1", now=NOW)
    sign(session, officer)
    for _ in range(4):
        sign_in.record_failure(session, "officer", "192.0.2.1", now=NOW)
    assert sign_in.wait_before_sign_in(session, "officer", "192.0.2.1", now=NOW) == timedelta(0)


def test_a_presence_expires_by_itself(session: Session) -> None:
    officer = add(session)
    presence.seen(session, officer, now=NOW)
    assert [o.user_id for o in queries.officers_present(session, NOW + timedelta(seconds=119))] == [officer]
    assert queries.officers_present(session, NOW + timedelta(seconds=120)) == ()
    assert queries.presence_of(session, officer, now=NOW + timedelta(seconds=120)) is None


def test_a_pause_holds_until_it_is_ended_even_after_an_absence(session: Session) -> None:
    officer = add(session)
    presence.pause(session, officer, PauseReason.LUNCH, now=NOW)
    later = NOW + timedelta(minutes=40)
    assert presence.seen(session, officer, now=later) is PresenceState.PAUSED
    found = queries.presence_of(session, officer, now=later)
    assert found is not None
    assert (found.reason, found.since) == (PauseReason.LUNCH, NOW)
    presence.resume(session, officer, now=later)
    found = queries.presence_of(session, officer, now=later)
    assert found is not None
    assert (found.state, found.reason, found.since) == (PresenceState.AVAILABLE, None, later)


def test_coming_back_after_an_absence_starts_a_new_presence(session: Session) -> None:
    officer = add(session)
    presence.seen(session, officer, now=NOW)
    presence.seen(session, officer, now=NOW + timedelta(seconds=60))
    found = queries.presence_of(session, officer, now=NOW + timedelta(seconds=60))
    assert found is not None
    assert found.since == NOW
    back = NOW + timedelta(hours=1)
    presence.seen(session, officer, now=back)
    found = queries.presence_of(session, officer, now=back)
    assert found is not None
    assert found.since == back
