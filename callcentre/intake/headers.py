"""What one header of a list says: which field it is, or why it is not read.

The words come from `config/list_columns.toml`. Headers are compared folded, their short forms written out ("Tél." is
"telephone"), whatever stands in brackets, numbers in front and the words for the young person left aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from typing import Any

from callcentre.intake.fields import GUARDIAN_FIELDS, Field
from callcentre.people.names import fold

LONGEST_HEADER = 120
_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_NUMBERING = re.compile(r"^\s*(?:\d{1,3}|[A-Za-z])\s*[.)\-–:]\s+(?=\S)")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_DIGIT_BEHIND = re.compile(r"([a-z]{2,})(\d)$")
_ARTICLES = frozenset({"de", "du", "des", "la", "le", "les", "l", "d", "en", "au", "n"})
_FORMS = frozenset({"obligatoire", "facultatif", "requis", "jj", "mm", "aaaa", "majuscules", "format"})
_ALIKE = 0.82
"""Share of common letters above which a required column is recognised in spite of a slip of the pen."""


class LeftOut(StrEnum):
    """Why a column is not read: its cells are not stored."""

    UNKNOWN = "unknown"
    SOMEONE_ELSE = "someone_else"
    """The school's, the adviser's, an employer's: never the young person's."""
    GUARDIAN_DATA = "guardian_data"
    COMMENT = "comment"
    TWICE = "twice"
    THIRD_GUARDIAN = "third_guardian"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header says: a field, and for a guardian's column which guardian it names."""

    field: Field | None
    group: str | None = None
    """A guardian's own word or number ("mere", "2"), None for the first one or for no guardian."""
    relation: str | None = None
    left_out: LeftOut | None = None


@dataclass(frozen=True)
class ColumnWords:
    """The words by which columns are recognised, folded, their short forms written out."""

    fields: Mapping[str, Field]
    guardian_words: frozenset[str]
    guardian_filler: frozenset[str]
    guardian_relations: frozenset[str]
    guardian_fields: Mapping[str, Field]
    guardian_phone_headers: frozenset[str]
    plain_relation: frozenset[str]
    decoys: frozenset[str]
    young_person: frozenset[str]
    groups: frozenset[str]
    short: Mapping[str, str]
    totals: frozenset[str]
    _known: dict[str, Meaning] = field(default_factory=dict, compare=False, repr=False)

    def long(self, folded: str) -> str:
        """A folded header with its short forms written out."""
        words = (part for word in folded.split() for part in _DIGIT_BEHIND.sub(r"\1 \2", word).split())
        return " ".join(self.short.get(word, word) for word in words)

    @cached_property
    def bare_fields(self) -> dict[str, Field]:
        """The fields by their words without articles and without "of the pupil"; those in doubt left out."""
        found: dict[str, Field | None] = {}
        for words, name in self.fields.items():
            bare = self._bare(words)
            found[bare] = name if found.get(bare, name) is name else None
        return {words: name for words, name in found.items() if words and name is not None}

    def _bare(self, words: str) -> str:
        left_aside = self.young_person | _ARTICLES | _FORMS
        return " ".join(word for word in words.split() if word not in left_aside)

    # ---- one header

    def meaning(self, header: str) -> Meaning:
        """What a header says by itself."""
        known = self._known.get(header)
        if known is None:
            known = self._meaning(header)
            if len(self._known) < 20_000:
                self._known[header] = known
        return known

    def _meaning(self, header: str) -> Meaning:
        if not header.strip() or len(header) > LONGEST_HEADER:
            return Meaning(None, left_out=LeftOut.UNKNOWN)
        forms = self._forms(header)
        for form in forms:
            if form in self.fields:
                return self._of_field(self.fields[form])
            if form in self.plain_relation:
                return Meaning(Field.GUARDIAN_RELATION)
            if form in self.guardian_phone_headers:
                return Meaning(Field.GUARDIAN_PHONE)
        for form in forms:
            if bare := self.bare_fields.get(self._bare(form)):
                return self._of_field(bare)
        guardian = next(filter(None, map(self._guardian, forms)), None)
        if guardian is not None:
            return guardian
        is_others = any(word in self.decoys for word in forms[0].split())
        return Meaning(None, left_out=LeftOut.SOMEONE_ELSE if is_others else LeftOut.UNKNOWN)

    def _forms(self, header: str) -> list[str]:
        """The ways to look a header up: as it is, its words apart, without numbering, without brackets."""
        plain = _NUMBERING.sub("", header)
        ways = (header, _CAMEL.sub(" ", header), plain, _BRACKETS.sub(" ", plain))
        return [form for form in dict.fromkeys(self.long(fold(way)) for way in ways) if form]

    @staticmethod
    def _of_field(name: Field) -> Meaning:
        return Meaning(None, left_out=LeftOut.COMMENT) if name is Field.COMMENT else Meaning(name)

    def _guardian(self, form: str) -> Meaning | None:
        """A guardian's word, perhaps a number, and what remains names the field: "resp 1 tel portable"."""
        parts = form.split()
        marks = [part for part in parts if part in self.guardian_words]
        if not marks:
            return None
        if any(part in self.decoys for part in parts):
            return Meaning(None, left_out=LeftOut.SOMEONE_ELSE)
        digit = next((part for part in parts if part in {"1", "2", "3", "4"}), None)
        known = {*self.guardian_words, *self.guardian_filler, "1", "2", "3", "4"}
        rest = " ".join(part for part in parts if part not in known)
        name = self.guardian_fields.get(rest) or self.guardian_fields.get(rest.removesuffix(" 1"))
        if name is None:
            return Meaning(None, left_out=LeftOut.GUARDIAN_DATA)
        relation = next((part for part in marks if part in self.guardian_relations), None)
        return Meaning(name, digit or relation, relation)

    # ---- a header under another

    def is_group(self, text: str) -> bool:
        """Whether a text above several columns is understood whole: "Responsable légal 2", "Établissement"."""
        words = self.long(fold(_BRACKETS.sub(" ", text))).split()
        known = (
            self.guardian_words | self.guardian_filler | self.decoys | self.young_person | _ARTICLES
            | {"1", "2", "3", "4", "origine"}
        )  # fmt: skip
        return bool(words) and (" ".join(words) in self.groups or all(word in known for word in words))

    def meaning_under(self, group: str, header: str) -> Meaning:
        """What a header says under a title that spans several columns."""
        words = self.long(fold(group)).split()
        own = self.meaning(header)
        if any(word in self.decoys for word in words) and self.is_group(group):
            return self._of_others(group, header, own)
        if any(word in self.guardian_words for word in words) and self.is_group(group):
            both = self._guardian(self.long(fold(f"{group} {header}")))
            if both is not None and both.field is not None:
                return both
            return own if own.field in _NOBODYS else Meaning(None, left_out=LeftOut.GUARDIAN_DATA)
        return own if own.field is not None else self.meaning(f"{header} {group}")

    def _of_others(self, group: str, header: str, own: Meaning) -> Meaning:
        for words in (f"{header} {group}", f"{group} {header}"):
            form = self.long(fold(words))
            if form in self.fields:
                return self._of_field(self.fields[form])
        return own if own.field in _NOBODYS else Meaning(None, left_out=LeftOut.SOMEONE_ELSE)

    def slip_of(self, header: str, wanted: Iterable[Field]) -> Field | None:
        """The one of the wanted fields that a misspelt header nearly is: "Prenon", "Date de naissence"."""
        form = self.long(fold(header))
        if len(form) < 5 or any(word in self.decoys | self.guardian_words for word in form.split()):
            return None
        fields = set(wanted)
        found = {
            name
            for words, name in self.fields.items()
            if name in fields and len(words) >= 5 and SequenceMatcher(None, form, words).ratio() >= _ALIKE
        }
        return found.pop() if len(found) == 1 else None


_NOBODYS = frozenset(
    {
        Field.SIEI, Field.INE, Field.UAI, Field.SCHOOL, Field.SCHOOL_COMMUNE, Field.CLASS_LABEL, Field.TRAINING_CODE,
        Field.TRAINING_LABEL, Field.ENTRY_DATE, Field.EXIT_DATE, Field.EXIT_REASON, Field.TERRITORY,
    }
)  # fmt: skip
"""Fields that no title above can make somebody else's."""


def column_words(data: Mapping[str, Any]) -> ColumnWords:
    """The words of the configuration as look-up tables; raises KeyError or ValueError for what is wrong in it."""
    short = {fold(form): word for word, forms in data["short"].items() for form in forms}
    guardian = data["guardian"]
    plain = ColumnWords(
        {}, frozenset(), frozenset(), frozenset(), {}, frozenset(), frozenset(), frozenset(), frozenset(),
        frozenset(), short, frozenset(),
    )  # fmt: skip

    def long(words: Iterable[str]) -> list[str]:
        return [plain.long(fold(word)) if word else "" for word in words]

    return ColumnWords(
        fields={word: Field(name) for name, words in data["fields"].items() for word in long(words)},
        guardian_words=frozenset(long(guardian["words"])),
        guardian_filler=frozenset(long(guardian["filler"])),
        guardian_relations=frozenset(guardian["relations"]),
        guardian_fields={word: name for key, name in GUARDIAN_FIELDS.items() for word in long(guardian[key])},
        guardian_phone_headers=frozenset(long(guardian["phone_headers"])),
        plain_relation=frozenset(long(guardian["plain_relation"])),
        decoys=frozenset(long(data["decoys"]["words"])),
        young_person=frozenset(long(data["young_person"]["words"])),
        groups=frozenset(long(data["young_person"]["groups"])),
        short=short,
        totals=frozenset(fold(word) for word in data["totals"]["words"]),
    )
