"""Who works in the demonstration: eight officers, a supervisor and an administrator, all fictitious."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from callcentre.accounts import queries as accounts
from callcentre.accounts import users
from callcentre.accounts.kinds import Role
from callcentre.directory import queries as directory
from callcentre.outreach import calls

PASSWORD = "Mistral-et-Calanques-13"  # noqa: S105  (printed at every start: the people are fictitious)
"""The one password of the demonstration's accounts; no other database has them."""


@dataclass(frozen=True, slots=True)
class Account:
    """A member of the demonstration's team."""

    login: str
    name: str
    role: Role


OFFICERS = tuple(
    Account(f"officier{number}", name, Role.OFFICER)
    for number, name in enumerate(
        (
            "Amel Bensoussan",
            "Bruno Castellan",
            "Chloé Daumas",
            "David Estève",
            "Élodie Ferrand",
            "Farid Guiraud",
            "Gaëlle Honorat",
            "Hugo Imbert",
        ),
        start=1,
    )
)
SUPERVISOR = Account("superviseur", "Inès Jourdan", Role.SUPERVISOR)
ADMINISTRATOR = Account("administrateur", "Karim Lafont", Role.ADMINISTRATOR)
TEAM = (*OFFICERS, SUPERVISOR, ADMINISTRATOR)


@dataclass(frozen=True)
class Team:
    """The ids of those who work in the demonstration."""

    officers: tuple[int, ...]
    supervisor: int


def create(session: Session, *, programme_id: int, now: datetime) -> None:
    """Create the accounts that are missing; each new officer is the correspondent of one or two PSADs."""
    territories = [territory.id for territory in directory.territories(session, programme_id)[:-1]]
    for position, account in enumerate(TEAM):
        if accounts.user_by_login(session, account.login) is not None:
            continue
        user_id = users.create_user(
            session, account.login, display_name=account.name, role=account.role, password=PASSWORD, now=now
        )
        if account.role is Role.OFFICER:
            users.set_territories(session, user_id, territories[position :: len(OFFICERS)])
            calls.set_line(session, user_id, f"+3346571020{position}", now=now)


def of(session: Session) -> Team:
    """Return the ids of everybody who takes calls, and of somebody who supervises."""
    officers = tuple(user.id for user in accounts.users(session, role=Role.OFFICER, active_only=True))
    supervisors = [user.id for user in accounts.users(session, role=Role.SUPERVISOR, active_only=True)]
    return Team(tuple(sorted(officers)), min(supervisors, default=min(officers, default=0)))


def logins() -> list[str]:
    """The accounts in words, a line each."""
    first, last = OFFICERS[0].login, OFFICERS[-1].login
    return [
        "Everybody in it is fictitious. Sign in as",
        f"  {first} … {last}  (officers)",
        f"  {SUPERVISOR.login}  (supervisor)",
        f"  {ADMINISTRATOR.login}  (administrator)",
        f"with the password {PASSWORD}",
    ]
