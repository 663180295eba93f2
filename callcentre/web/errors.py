"""Every error turned into an answer, in one place: what happened, what was kept, what to do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from callcentre.errors import CallCentreError, LeaseLost, NotFound
from callcentre.web import interrupted
from callcentre.web.addresses import page_above
from callcentre.web.context import visitor_or_none
from callcentre.web.guards import wants_json
from callcentre.web.i18n import gettext, mark


@dataclass(frozen=True)
class Words:
    """What a page says of an error."""

    title: str
    what: str
    kept: str
    todo: str


_NOTHING_CHANGED = mark("Rien n’a été modifié.")
_NOT_DONE = mark("Ce qui était enregistré avant l’est toujours ; l’action elle-même n’a pas été faite.")

_WORDS = {
    400: Words(
        mark("Demande incomprise"),
        mark("Le navigateur a envoyé une demande que le serveur ne comprend pas."),
        _NOTHING_CHANGED,
        mark("Revenez à la page précédente et recommencez."),
    ),
    401: Words(
        mark("Connexion nécessaire"),
        mark("Vous n’êtes pas connecté, ou votre connexion a pris fin."),
        _NOTHING_CHANGED,
        mark("Connectez-vous, puis recommencez."),
    ),
    403: Words(
        mark("Accès réservé"),
        mark("Votre rôle ne donne pas accès à cette page."),
        _NOTHING_CHANGED,
        mark("Si vous en avez besoin, demandez à un administrateur de changer votre rôle."),
    ),
    404: Words(
        mark("Page introuvable"),
        mark("Cette adresse ne mène à rien, ou plus à rien."),
        _NOTHING_CHANGED,
        mark("Vérifiez l’adresse, ou repartez de l’accueil."),
    ),
    405: Words(
        mark("Action impossible ici"),
        mark("Cette adresse ne s’ouvre pas de cette façon."),
        _NOTHING_CHANGED,
        mark("Repartez de l’accueil et utilisez les boutons des pages."),
    ),
    409: Words(
        mark("Action refusée"),
        mark("Une règle, ou ce qu’un collègue vient de faire, empêche cette action."),
        _NOTHING_CHANGED,
        mark("Revenez à la page précédente et actualisez-la."),
    ),
    413: Words(
        mark("Envoi trop volumineux"),
        mark("Le fichier ou le texte envoyé dépasse la taille acceptée."),
        _NOTHING_CHANGED,
        mark("Envoyez un fichier plus petit, ou coupez-le en plusieurs."),
    ),
    422: Words(
        mark("Saisie à corriger"),
        mark("Une des valeurs envoyées ne peut pas être utilisée."),
        _NOTHING_CHANGED,
        mark("Revenez à la page précédente, corrigez-la et recommencez."),
    ),
    429: Words(
        mark("Trop de demandes"),
        mark("Trop de demandes sont arrivées en peu de temps."),
        _NOTHING_CHANGED,
        mark("Attendez un peu, puis recommencez."),
    ),
    500: Words(
        mark("Une erreur du logiciel"),
        mark("Quelque chose s’est mal passé de notre côté."),
        _NOT_DONE,
        mark("Recommencez. Si l’erreur revient, donnez la référence à la personne qui gère le logiciel."),
    ),
    503: Words(
        mark("Service momentanément indisponible"),
        mark("La base de données ne répond pas, ou trop de pages sont ouvertes."),
        _NOT_DONE,
        mark("Attendez une minute, puis actualisez la page."),
    ),
    507: Words(
        mark("Plus de place pour enregistrer"),
        mark("Le disque du serveur, ou l’espace réservé à la base de données, est plein."),
        _NOT_DONE,
        mark("Prévenez la personne qui gère le serveur, puis recommencez quand elle aura fait de la place."),
    ),
}

_STALE = Words(
    mark("Page d’une autre connexion"),
    mark("Cette page date d’une autre connexion ; rien n’a été envoyé."),
    _NOTHING_CHANGED,
    mark("Ouvrez de nouveau la page et recommencez."),
)

_TODO_OF_PROGRAMS = {
    400: mark("Corrigez la demande d’après /api/v1/openapi.json."),
    401: mark("Envoyez un jeton personnel valide dans l’en-tête « Authorization: Bearer »."),
    403: mark("Utilisez le jeton d’un compte qui a le rôle nécessaire."),
    404: mark("Vérifiez l’adresse et l’identifiant."),
    405: mark("Corrigez la demande d’après /api/v1/openapi.json."),
    409: mark(
        "Demandez l’état actuel avant de décider de la suite ; renvoyer la même demande ne sert à rien."
    ),
    413: mark("Envoyez moins à la fois."),
    422: mark("Corrigez ce champ, puis renvoyez la demande."),
    503: mark("Attendez un peu, puis renvoyez la même demande avec la même clé."),
}
"""What to do, said to a program: it has no page to go back to."""

_CODES = {
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "method",
    413: "too_large",
    503: "unavailable",
}


def register(app: Flask) -> None:
    """Give every request a reference and every error an answer."""
    app.before_request(_give_reference)
    app.after_request(_show_reference)
    app.register_error_handler(CSRFError, _stale_page)
    app.register_error_handler(CallCentreError, _deliberate)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def is_local(path: str) -> bool:
    """Tell whether an address stays on this site: only a path, without the tricks of browsers."""
    parts = urlsplit(path)
    clean = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return clean and not parts.scheme and not parts.netloc


def same_site() -> bool:
    """Tell whether a page of this site sends the request; an attacker's page cannot pretend it."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "").rstrip("/") == request.host_url.rstrip("/")


def answer(
    status: int, *, code: str, message: str | None = None, words: Words | None = None, **details: Any
) -> Response:
    """Return an error as JSON or as a page."""
    known = words or _WORDS.get(status) or (_WORDS[400] if status < 500 else _WORDS[500])
    if wants_json():
        error = {
            "code": code,
            "message": message or gettext(known.what),
            "todo": gettext(_TODO_OF_PROGRAMS.get(status, known.todo) if of_api() else known.todo),
            **details,
        }
        response = jsonify(error=error, kept=bool(details.get("kept")))
    else:
        response = make_response(
            render_template(
                "error.html",
                status=status,
                words=known,
                message=message,
                kept=details.get("kept"),
                reference=g.get("reference") if status >= 500 else None,
            )
        )
    response.status_code = status
    return response


def of_api() -> bool:
    """Tell whether a program asks, not a page."""
    return request.path.startswith("/api/")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if status == 401 and not wants_json():
        return _interrupted()
    if status == 405 and request.method == "GET" and not wants_json() and (page := page_above()) is not None:
        # What a form was sent to is opened again, as a browser does after a refusal that was shown there.
        return make_response(redirect(page))
    response = answer(status, code=_CODES.get(status, "error"))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 413:
        response.headers["Connection"] = "close"
    return response


def _deliberate(error: CallCentreError) -> Response:
    if error.status >= 500:
        current_app.logger.error("%s reference=%s", error.code, g.get("reference"))
    # What was not found is a code word for programs; pages have their own words for it.
    message: str = "" if isinstance(error, NotFound) else getattr(error, "message", "")
    details: dict[str, Any] = {}
    if isinstance(error, LeaseLost):
        details["kept"] = error.kept
    for name in ("field", "reason"):
        if getattr(error, name, None):
            details[name] = getattr(error, name)
    return answer(error.status, code=error.code, message=gettext(message) if message else None, **details)


def _unexpected(error: Exception) -> Response:
    current_app.logger.error(
        "unexpected error reference=%s endpoint=%s", g.get("reference"), request.endpoint, exc_info=error
    )
    if current_app.testing:
        raise error  # a test of a page should see its cause; the tests of this module turn it off
    return answer(InternalServerError.code or 500, code="unexpected", reference=g.get("reference"))


def _stale_page(_error: CSRFError) -> Response:
    """A page older than the sign-in: what it sent is shown with a button, never sent alone, never lost."""
    if wants_json():
        return answer(
            403,
            code="stale_page",
            message=gettext("Cette page date d’une autre connexion ; rien n’a été envoyé."),
        )
    if not same_site():
        return answer(
            403, code="forbidden", message=gettext("Cette demande ne vient pas d’une page de ce site.")
        )
    found = visitor_or_none()
    if found is None:
        return _interrupted()
    form = interrupted.sent()
    if form is None or form.user_id != found.user.id:
        return answer(
            403,
            code="stale_page",
            words=_STALE,
        )
    response = make_response(interrupted.page(form))
    response.status_code = 403
    return response


def _interrupted() -> Response:
    """The session ended while somebody typed: the sign-in form, with what was typed kept in it for them."""
    keeps = request.method == "POST" and same_site() and request.endpoint != "sign_in.enter"
    form = interrupted.sent() if keeps else None
    response = make_response(
        render_template(
            "sign_in.html",
            interrupted=True,
            login="",
            next=request.full_path.rstrip("?") if request.method == "GET" else "/",
            carried=interrupted.pack(form) if form and form.fields else "",
            lost_files=[name for name, file in request.files.items() if file.filename],
        )
    )
    response.status_code = 401
    return response


def _give_reference() -> None:
    g.reference = secrets.token_hex(4)


def _show_reference(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("reference", "")
    return response
