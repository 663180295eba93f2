"""The English catalogue kept in step with what the pages say: `python -m callcentre.web.catalogue`.

Messages are taken from Python (`gettext`, `mark`, errors raised with a French message…), templates (`_`,
`trans`) and scripts (`t`). Translations that are still used are kept, new messages are added empty, the
others are dropped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from callcentre.web.i18n import TRANSLATIONS, read_catalogue

PACKAGE = Path(__file__).resolve().parent.parent
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/static/js/**.js", "javascript")]
OPTIONS: dict[str, dict[str, Any]] = {"**/templates/**.html": {"trimmed": "true"}}
KEYWORDS: dict[str, Any] = {
    "_": None,
    "t": None,
    "gettext": None,
    "mark": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "IdempotencyMismatch": None,
    "InvalidInput": None,
    "NotAllowed": None,
    "LeaseLost": None,
}


HEADER = """\
# The pages in another language than French. Refreshed by `python -m callcentre.web.catalogue`.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {language}\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def messages_in_use() -> Catalog:
    """Return a catalogue of every message of the package, without translations."""
    found = Catalog(locale="en", project="callcentre", charset="utf-8")
    for file, _line, message, _comments, context in extract_from_dir(
        str(PACKAGE), METHODS, OPTIONS, keywords=KEYWORDS
    ):
        if message:
            found.add(message, locations=[(f"callcentre/{Path(file).as_posix()}", 0)], context=context)
    return found


def missing_and_obsolete(language: str) -> tuple[list[str], list[str]]:
    """Return the messages without a translation, and the translations without a message."""
    wanted = {_key(message) for message in messages_in_use() if message.id}
    kept = {_key(message): message for message in read_catalogue(language) if message.id}
    missing = {key for key in wanted if key not in kept or not _is_translated(kept[key])}
    return sorted(key[0] for key in missing), sorted(key[0] for key in kept if key not in wanted)


def refresh(language: str) -> int:
    """Write the catalogue of a language anew and return how many messages have no translation."""
    old, new = read_catalogue(language), messages_in_use()
    for message in new:
        known = old.get(message.id, message.context) if message.id else None
        if known is not None:
            message.string = known.string
    path = TRANSLATIONS / f"{language}.po"
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, new, width=110, sort_output=True, include_lineno=False, omit_header=True)
    partial.replace(path)
    return len(missing_and_obsolete(language)[0])


def _key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context


def _is_translated(message: Message) -> bool:
    text = message.string
    return all(text) if isinstance(text, tuple | list) else bool(text)


if __name__ == "__main__":
    count = refresh("en")
    sys.stdout.write(f"{TRANSLATIONS / 'en.po'}: {count} message(s) to translate\n")
