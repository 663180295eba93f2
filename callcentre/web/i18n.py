"""The language of the pages: messages are written in French, an English catalogue stands beside them.

Catalogues are read from `translations/*.po` when first needed; there is no compile step. The language is
that of the current context (`speaking`), so pages, event streams and commands use the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment

LANGUAGES = ("fr", "en")
TRANSLATIONS = Path(__file__).parent / "translations"

_language: ContextVar[str] = ContextVar("language", default="fr")

_NO_BREAK = "\N{NO-BREAK SPACE}"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_BEFORE = re.compile(r" (?=[:»%€])|(?<=«) ")
_BEFORE_THIN = re.compile(r" (?=[;!?](?:\s|$|<))")
_NUMBERS = re.compile(
    r"(?<=\d) (?=h\b|min\b|s\b|ans?\b|000\b)|(?<=\dh) (?=\d)|(?<=\d h) (?=\d)|(?<=\bn°) (?=\S)"
)


@lru_cache(maxsize=4096)
def typography(text: str) -> str:
    """Return French text with its apostrophes ’ and the spaces that must not break (14 h, « », ; ! ? %)."""
    text = _APOSTROPHE.sub("’", text)
    text = _BEFORE_THIN.sub(_THIN, _BEFORE.sub(_NO_BREAK, text))
    return _NUMBERS.sub(_NO_BREAK, text)


class _French(NullTranslations):
    """The messages as they are written, with French spaces and the French plural (0 and 1 are singular)."""

    def gettext(self, message: str) -> str:
        return typography(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return typography(msgid1 if abs(n) < 2 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return typography(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


def read_catalogue(language: str) -> Catalog:
    """Return the catalogue of a language, read from its .po file."""
    with (TRANSLATIONS / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: str) -> NullTranslations:
    if language == "fr":
        return _French()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return Translations(fp=compiled)


def language() -> str:
    """Return the language of the current context, `fr` or `en`."""
    return _language.get()


def use_language(wanted: str) -> None:
    """Set the language for the rest of this request; the edge calls it once for each."""
    _language.set(wanted if wanted in LANGUAGES else "fr")


@contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Use a language for a block, outside a request (event streams, messages, commands)."""
    token = _language.set(wanted if wanted in LANGUAGES else "fr")
    try:
        yield
    finally:
        _language.reset(token)


def gettext(message: str, **values: object) -> str:
    """Return a message in the current language; `%(name)s` is replaced only when values are given.

    A sentence of an error brings its values with it.
    """
    values = {**getattr(message, "values", {}), **values}
    translated = _translations(language()).gettext(str(message))
    return translated % values if values else translated


def ngettext(singular: str, plural: str, n: int, **values: object) -> str:
    """Return the form of a message that goes with a number, which it may name as `%(n)s`."""
    from callcentre.web.formats import number

    return _translations(language()).ngettext(singular, plural, n) % {"n": number(n), **values}


def pgettext(context: str, message: str, **values: object) -> str:
    """Return a message whose meaning depends on its context."""
    translated = _translations(language()).pgettext(context, message)
    return translated % values if values else translated


def words(labels: Mapping[str, str]) -> str:
    """Return the text of a configuration file in the current language, else in French."""
    return labels.get(language()) or typography(labels["fr"])


def mark(message: str) -> str:
    """Return a message unchanged; says that it is to be translated where it is shown."""
    return message


def install(environment: Environment) -> None:
    """Give templates `_()` (plain text), `ngettext()` and `{% trans %}` (text with markup)."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _translations(language()).gettext(message),
        lambda one, many, n: _translations(language()).ngettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, message: _translations(language()).pgettext(context, message),
        npgettext=lambda context, one, many, n: _translations(language()).npgettext(context, one, many, n),
    )
    environment.globals.update(
        _=gettext, ngettext=ngettext, pgettext=pgettext, language=language, words=words
    )


@cache
def _script_messages(wanted: str) -> dict[str, str]:
    catalogue = read_catalogue(wanted)
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and message.string and any(path.endswith(".js") for path, _ in message.locations)
    }


def script_messages() -> dict[str, str]:
    """Return the translations that the scripts need, for a data block of the page; none in French."""
    return {} if language() == "fr" else _script_messages(language())
