"""The web application: one table says which pages exist and who may open them."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, request

from callcentre import cli
from callcentre.accounts.kinds import Role
from callcentre.runtime import Runtime
from callcentre.web import (
    account,
    addresses,
    api,
    assets,
    audit,
    by_hand,
    decisions,
    desk,
    details,
    duplicates,
    errors,
    formats,
    funnel,
    guards,
    health,
    hours,
    i18n,
    layout,
    list_corrections,
    list_mapping,
    lists,
    messaging,
    people,
    person,
    provider,
    security,
    sign_in,
    supervision,
    telephony,
    users,
    voice,
    webhooks,
    what_if,
)
from callcentre.web.guards import Guard
from callcentre.web.transaction import Application, close_transaction

BLUEPRINTS: Final[tuple[tuple[Blueprint, Guard], ...]] = (
    (health.blueprint, Guard.open()),
    (sign_in.blueprint, Guard.open()),
    (account.blueprint, Guard.signed_in()),
    (desk.blueprint, Guard.of(Role.OFFICER)),
    (person.blueprint, Guard.signed_in()),
    (users.blueprint, Guard.of(Role.ADMINISTRATOR)),
    (audit.blueprint, Guard.of(Role.ADMINISTRATOR)),
    (lists.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (duplicates.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (by_hand.blueprint, Guard.signed_in()),
    (list_corrections.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (list_mapping.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (supervision.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (hours.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (details.blueprint, Guard.of(Role.OFFICER, Role.SUPERVISOR)),
    (decisions.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (funnel.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (people.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (what_if.blueprint, Guard.of(Role.SUPERVISOR, Role.ADMINISTRATOR)),
    (messaging.blueprint, Guard.of(Role.OFFICER, Role.SUPERVISOR)),
    (telephony.blueprint, Guard.of(Role.OFFICER)),
    (provider.blueprint, Guard.of(Role.ADMINISTRATOR)),
    (api.blueprint, Guard.api()),
    (webhooks.blueprint, Guard.webhook()),
    (voice.blueprint, Guard.webhook()),
)
"""Every blueprint with its guard; what is not here does not exist. A view narrows it with `guards.only`."""


def create_app(runtime: Runtime) -> Flask:
    """Return the application on a runtime."""
    app = Application(
        "callcentre.web", template_folder="templates", static_folder=None, root_path=str(assets.STATIC.parent)
    )
    app.extensions["callcentre"] = runtime
    app.config.update(
        SECRET_KEY=runtime.settings.secret_key,
        ZONE=runtime.programme.zone,
        MAX_CONTENT_LENGTH=runtime.settings.upload_megabytes * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="callcentre_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
    )
    addresses.install(app)
    app.session_interface = security.FormCookie()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.install(app.jinja_env)
    formats.install(app.jinja_env)
    assets.register(app)
    layout.install(app)
    errors.register(app)
    app.before_request(_choose_language)
    guards.register(app, {blueprint.name: guard for blueprint, guard in BLUEPRINTS})
    app.after_request(security.add_headers)
    app.teardown_request(close_transaction)
    for blueprint, _guard in BLUEPRINTS:
        app.register_blueprint(blueprint)
    cli.register(app)
    return app


def _choose_language() -> None:
    """The language of a visitor who is not known yet; the guard then takes that of the user."""
    cookie = request.cookies.get(security.LANGUAGE_COOKIE)
    i18n.use_language(cookie or request.accept_languages.best_match(i18n.LANGUAGES, default="fr") or "fr")
