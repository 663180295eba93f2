"""What the frame around every page shows: product, programme, navigation by role, demo clock, preferences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app, request

from callcentre.accounts.kinds import Density, Language, PauseReason, Role, Theme
from callcentre.accounts.queries import UserView
from callcentre.web import i18n
from callcentre.web.context import now, runtime, visitor_or_none
from callcentre.web.i18n import mark
from callcentre.web.transaction import is_demonstration

PRODUCT = "Renouer"


@dataclass(frozen=True)
class Entry:
    """A line of the navigation; shown once its blueprint exists, to those whom its guard lets in."""

    blueprint: str
    path: str
    label: str


NAVIGATION = (
    Entry("desk", "/desk", mark("Appels")),
    Entry("messaging", "/inbox", mark("Messages")),
    Entry("people", "/people", mark("Personnes")),
    Entry("details", "/details", mark("Coordonnées")),
    Entry("supervision", "/supervision", mark("Supervision")),
    Entry("funnel", "/funnel", mark("Parcours")),
    Entry("lists", "/lists", mark("Listes")),
    Entry("what_if", "/what-if", mark("Et si…")),
    Entry("users", "/users", mark("Comptes")),
    Entry("provider", "/provider", mark("Opérateur")),
    Entry("audit", "/audit", mark("Journal")),
)

ROLE_LABELS = {
    Role.OFFICER: mark("Chargé d’appels"),
    Role.SUPERVISOR: mark("Superviseur"),
    Role.ADMINISTRATOR: mark("Administrateur"),
}

PAUSE_LABELS = {
    PauseReason.BREAK: mark("Pause"),
    PauseReason.LUNCH: mark("Repas"),
    PauseReason.MEETING: mark("Réunion"),
    PauseReason.TRAINING: mark("Formation"),
    PauseReason.PAPERWORK: mark("Travail administratif"),
    PauseReason.TECHNICAL: mark("Problème technique"),
    PauseReason.OTHER: mark("Autre"),
}

THEME_LABELS = {Theme.AUTO: mark("Automatique"), Theme.LIGHT: mark("Clair"), Theme.DARK: mark("Sombre")}
DENSITY_LABELS = {Density.NORMAL: mark("Normale"), Density.COMPACT: mark("Serrée")}
LANGUAGE_NAMES = {Language.FRENCH: "Français", Language.ENGLISH: "English"}

LANDING = {Role.OFFICER: "/desk", Role.SUPERVISOR: "/supervision", Role.ADMINISTRATOR: "/lists"}


@dataclass(frozen=True)
class Frame:
    """The values of `base.html`."""

    product: str
    programme: str
    zone: str
    user: UserView | None
    role: str
    entries: tuple[Entry, ...]
    demo_now: datetime | None
    offline: bool
    sandbox: bool
    stand_in: bool
    theme: str
    density: str
    single_keys: bool
    session_ends: datetime | None


def landing(role: Role) -> str:
    """Return the page a role starts on; the account while that page does not exist."""
    path = LANDING[role]
    return path if path.strip("/") in current_app.blueprints else "/account"


def frame() -> Frame:
    """Return what surrounds the page of this request."""
    settings, found = runtime().settings, visitor_or_none()
    user = None if found is None else found.user
    return Frame(
        product=PRODUCT,
        programme=i18n.words(runtime().programme.labels),
        zone=runtime().programme.zone,
        user=user,
        role="" if user is None else i18n.gettext(ROLE_LABELS[user.role]),
        entries=() if user is None else tuple(entry for entry in NAVIGATION if _shown(entry, user.role)),
        demo_now=now() if settings.clock_start is not None else None,
        offline=settings.mode == "offline",
        sandbox=settings.mode == "sandbox",
        stand_in=bool(settings.twilio_api_url),
        theme=Theme.AUTO if user is None else user.theme,
        density=Density.NORMAL if user is None else user.density,
        single_keys=user is not None and user.single_keys,
        session_ends=None if found is None else found.ends_at,
    )


def install(app: Flask) -> None:
    """Give every template the frame and the labels."""
    app.jinja_env.globals.update(
        frame=frame,
        role_labels=ROLE_LABELS,
        pause_labels=PAUSE_LABELS,
        theme_labels=THEME_LABELS,
        density_labels=DENSITY_LABELS,
        language_names=LANGUAGE_NAMES,
        is_current=_is_current,
        script_messages=i18n.script_messages,
        now=now,
        is_demonstration=is_demonstration,
    )


def _shown(entry: Entry, role: Role) -> bool:
    guard = current_app.extensions["guards"].get(entry.blueprint)
    return guard is not None and role in guard.roles


def _is_current(entry: Entry) -> bool:
    return request.path == entry.path or request.path.startswith(f"{entry.path}/")
