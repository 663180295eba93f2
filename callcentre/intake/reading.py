"""The cells of a row read by their rules, for a sheet whose columns are known: what they say, what is odd in them.

A reader serves one sheet. It remembers the values that come back from row to row (schools, classes, dates), so that
most cells cost one look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from callcentre.intake import communes, naming, values
from callcentre.intake.communes import PostalDoubt
from callcentre.intake.dates import DateHabit, date_parts, read_date
from callcentre.intake.fields import Field
from callcentre.intake.mapping import SheetMapping
from callcentre.intake.reader import Cells
from callcentre.intake.reasons import Reason, ReasonCode
from callcentre.people.names import fold

_SHOWN = 60
"""Characters of a cell that a reason quotes."""
_REMEMBERED = 32_768
_OLD_EXIT_DAYS = 731
_OLDEST = 90
"""Years: an age beyond this is a placeholder like 01/01/1900, not a person of the list."""
_YOUNGEST_LEAVER = 11
"""Years: nobody leaves a secondary school at a younger age."""
_DOUBTS = {
    PostalDoubt.WAS_INSEE: ReasonCode.POSTAL_CODE_WAS_INSEE,
    PostalDoubt.INSEE_OF_SEVERAL: ReasonCode.POSTAL_CODE_INSEE_OF_SEVERAL,
    PostalDoubt.OTHER_COMMUNE: ReasonCode.POSTAL_CODE_OTHER_COMMUNE,
    PostalDoubt.UNKNOWN: ReasonCode.POSTAL_CODE_UNKNOWN,
}
_NULLS = frozenset({"null", "na", "nil", "none", "nan"})


@dataclass(frozen=True)
class Scope:
    """Against what a list is judged: its date, the programme's ages, its territories by name and postcode."""

    list_date: date
    minimum_age: int
    maximum_age: int
    region: str
    territories: Mapping[str, str]
    territory_of_postal_code: Mapping[str, str]


Said = tuple[str | None, Reason | None]
"""A value and what is odd about its cell."""
DateSaid = tuple[date | None, Reason | None]
_NOTHING: Said = (None, None)
_NO_DATE: DateSaid = (None, None)


class _Remembered(dict[str, Said]):
    """What the cells of one column say, worked out once for each different text."""

    def __init__(self, rule: Callable[[str], Said]) -> None:
        super().__init__({"": _NOTHING})
        self._rule = rule

    def __missing__(self, text: str) -> Said:
        if len(self) >= _REMEMBERED:
            self.clear()
            self[""] = _NOTHING
        self[text] = found = self._rule(text)
        return found


class _RememberedDates(dict[str, DateSaid]):
    def __init__(self, rule: Callable[[str], DateSaid]) -> None:
        super().__init__({"": _NO_DATE})
        self._rule = rule

    def __missing__(self, text: str) -> DateSaid:
        if len(self) >= _REMEMBERED:
            self.clear()
            self[""] = _NO_DATE
        self[text] = found = self._rule(text)
        return found


def quote(text: str) -> str:
    """A cell as a reason quotes it."""
    return values.clean(text)[:_SHOWN]


def shortened(about: Field, text: str | None, limit: int) -> Said:
    """A text cut at the limit of its column in the database, and said to be."""
    if text is not None and len(text) > limit:
        return text[:limit], Reason(ReasonCode.VALUE_TOO_LONG, str(about))
    return text, None


class CellRules:
    """The rules for the cells of one sheet, by field; each gives the value and what is odd about the cell."""

    def __init__(self, mapping: SheetMapping, scope: Scope) -> None:
        self.scope = scope
        self.habits = mapping.habits
        self.place: dict[Field, int] = {column.field: column.index for column in reversed(mapping.columns)}
        self.names = {about: _Remembered(self._name(about)) for about in _NAMES}
        self.texts = {about: _Remembered(self._text(about, limit)) for about, limit in _LIMITS.items()}
        self.coded = {about: _Remembered(self._coded(about, *rule)) for about, rule in _CODED.items()}
        self.uai = _Remembered(self._uai)
        self.guardians = {
            about: _Remembered(_guardians(about, rule, limit)) for about, (rule, limit) in _GUARDIANS.items()
        }
        self.births = _RememberedDates(self._birth)
        self.exits = _RememberedDates(self._exit)
        self.entries = _RememberedDates(self._entry)
        self._territories: dict[tuple[str, str | None], Said] = {}

    def remembered(self) -> dict[Field, _Remembered]:
        """The rules of the fields that need nothing but their own cell."""
        rules = {
            **self.texts,
            **self.coded,
            Field.UAI: self.uai,
            Field.USUAL_NAME: self.names[Field.USUAL_NAME],
        }
        return {about: rules[about] for about in SIMPLE_FIELDS}

    # ---- names

    @staticmethod
    def _name(about: Field) -> Callable[[str], Said]:
        return lambda text: shortened(about, naming.read_name(text), 120)

    def both_names(
        self, cells: Cells, width: int, remarks: list[Reason]
    ) -> tuple[str | None, str | None, Reason | None]:
        """Family and first name of a row, or why there are none."""
        family, first = (
            self._one_name(Field.FAMILY_NAME, cells, width, remarks),
            self._one_name(Field.FIRST_NAME, cells, width, remarks),
        )
        if family is None or first is None:
            together = self._together(cells, width, remarks)
            if together is not None:
                return together
            missing = Field.FAMILY_NAME if family is None else Field.FIRST_NAME
            return None, None, Reason(ReasonCode.NAME_MISSING, str(missing))
        if family.casefold() in _NULLS and fold(family) == fold(first):
            return None, None, Reason(ReasonCode.NAME_MISSING, str(Field.FAMILY_NAME))
        if self.habits.capitals and naming.looks_swapped(family, first):
            remarks.append(
                Reason(ReasonCode.NAMES_SWAPPED, str(Field.FAMILY_NAME), f"{family} {first}"[:_SHOWN])
            )
            family, first = first, family
        return family, first, None

    def _one_name(self, about: Field, cells: Cells, width: int, remarks: list[Reason]) -> str | None:
        at = self.place.get(about)
        if at is None or at >= width:
            return None
        name, odd = self.names[about][cells[at]]
        if odd is not None:
            remarks.append(odd)
        return name

    def _together(
        self, cells: Cells, width: int, remarks: list[Reason]
    ) -> tuple[str | None, str | None, Reason | None] | None:
        """Both names out of the one cell that holds them; None when the list has no such column."""
        for about in (Field.FULL_NAME, Field.FULL_NAME_REVERSED):
            at = self.place.get(about)
            if at is None or at >= width or naming.read_name(cells[at]) is None:
                continue
            split = naming.split_name(cells[at], first_name_first=about is Field.FULL_NAME_REVERSED)
            if split is None:
                return None, None, Reason(ReasonCode.NAME_NOT_SPLIT, str(about), quote(cells[at]))
            if not split.is_certain:
                remarks.append(Reason(ReasonCode.NAME_SPLIT, str(about), quote(cells[at])))
            return split.family_name[:120], split.first_name[:120], None
        return None

    # ---- texts and codes

    @staticmethod
    def _text(about: Field, limit: int) -> Callable[[str], Said]:
        return lambda text: shortened(about, values.read_text(text), limit)

    @staticmethod
    def _coded(
        about: Field, rule: Callable[[str], str | None], code: ReasonCode | None
    ) -> Callable[[str], Said]:
        return lambda text: read_by(about, text, rule, code)

    def _uai(self, text: str) -> Said:
        uai, odd = read_by(Field.UAI, text, values.read_uai, ReasonCode.UAI_MALFORMED)
        if uai is not None and not values.uai_letter_is_right(uai):
            return None, Reason(ReasonCode.UAI_CHECK_LETTER, str(Field.UAI), uai)
        return uai, odd

    def ine(self, text: str) -> Said:
        """An INE; its letter is judged only in a list whose other letters hold."""
        ine, odd = read_by(Field.INE, text, values.read_ine, ReasonCode.INE_MALFORMED)
        if ine is not None and self.habits.ine_letters and not values.ine_letter_is_right(ine):
            return ine, Reason(ReasonCode.INE_CHECK_LETTER, str(Field.INE), ine)
        return ine, odd

    def postal(self, text: str, commune: str | None, insee: str | None) -> Said:
        """A postal code, beside its commune: an INSEE code in its place is not taken for one."""
        about = str(Field.POSTAL_CODE)
        code, odd = self.coded[Field.POSTAL_CODE][text]
        if code is not None:
            reading = communes.read_postal(code, commune)
            if reading.doubt is not None:
                odd = Reason(_DOUBTS[reading.doubt], about, code)
            code = reading.code
        if code is None and insee is not None and (found := communes.postal_of_insee(insee)):
            return found, Reason(ReasonCode.POSTAL_CODE_FROM_INSEE, about, insee)
        return code, odd

    def territory(self, text: str, postal_code: str | None) -> Said:
        """The programme's territory, by its name in the list, else by the postal code."""
        known = self._territories.get((text, postal_code))
        if known is None:
            known = self._territories[text, postal_code] = self._territory(text, postal_code)
        return known

    def _territory(self, text: str, postal_code: str | None) -> Said:
        folded = fold(text) if text else ""
        named = self.scope.territories.get(folded) or self.scope.territories.get(folded.removeprefix("psad "))
        if named is not None:
            return named, None
        derived = self.scope.territory_of_postal_code.get(postal_code or "")
        if derived is not None:
            return derived, Reason(ReasonCode.TERRITORY_FROM_POSTAL_CODE, str(Field.TERRITORY))
        return None, Reason(ReasonCode.TERRITORY_UNKNOWN, str(Field.TERRITORY), quote(text))

    # ---- dates

    def _birth(self, text: str) -> DateSaid:
        about, day = str(Field.BIRTH_DATE), self.scope.list_date
        if values.read_text(text) is None:
            return None, Reason(ReasonCode.BIRTH_DATE_MISSING, about)
        habit = self._habit(Field.BIRTH_DATE)
        born = read_date(text, day, habit)
        if born is None:
            return None, Reason(ReasonCode.BIRTH_DATE_IMPOSSIBLE, about, quote(text))
        if born > day:
            return None, Reason(ReasonCode.BIRTH_DATE_FUTURE, about, quote(text))
        age = values.age_on(born, day)
        if age >= _OLDEST:
            return None, Reason(ReasonCode.BIRTH_DATE_IMPLAUSIBLE, about, quote(text))
        if age < self.scope.minimum_age:
            return None, Reason(ReasonCode.AGE_UNDER, about, str(age))
        if age > self.scope.maximum_age:
            return born, Reason(ReasonCode.AGE_OVER, about, str(age))
        return born, _order_doubt(Field.BIRTH_DATE, text, habit)

    def _exit(self, text: str) -> DateSaid:
        about, day = str(Field.EXIT_DATE), self.scope.list_date
        if values.read_text(text) is None:
            return _NO_DATE
        habit = self._habit(Field.EXIT_DATE)
        left = read_date(text, date(day.year + 1, 12, 31), habit)
        if left is None:
            return None, Reason(ReasonCode.EXIT_DATE_IMPOSSIBLE, about, quote(text))
        if left > day:
            return left, Reason(ReasonCode.EXIT_DATE_FUTURE, about, quote(text))
        if (day - left).days > _OLD_EXIT_DAYS:
            return left, Reason(ReasonCode.EXIT_DATE_OLD, about, quote(text))
        return left, _order_doubt(Field.EXIT_DATE, text, habit)

    def _entry(self, text: str) -> DateSaid:
        return read_date(text, self.scope.list_date, self._habit(Field.ENTRY_DATE)), None

    def _habit(self, about: Field) -> DateHabit:
        return self.habits.of_dates(self.place.get(about, -1))

    def exit_date(self, text: str, born: date, entry: str) -> DateSaid:
        """The exit date; one before the entry, or in childhood, makes no sense and is left out."""
        left, odd = self.exits[text]
        if left is None:
            return left, odd
        if left.year - born.year < _YOUNGEST_LEAVER:
            return None, Reason(ReasonCode.EXIT_DATE_SENSELESS, str(Field.EXIT_DATE), quote(text))
        entered = self.entries[entry][0] if entry else None
        if entered is not None and entered > left:
            return left, Reason(ReasonCode.EXIT_DATE_BEFORE_ENTRY, str(Field.EXIT_DATE), quote(text))
        return left, odd


def _order_doubt(about: Field, text: str, habit: DateHabit) -> Reason | None:
    """A date that fits both orders, in a column that uses both."""
    parts = date_parts(text) if habit.is_mixed else None
    if parts is None or max(parts) > 12 or parts[0] == parts[1]:
        return None
    return Reason(ReasonCode.DATE_ORDER_UNSURE, str(about), quote(text))


def read_by(about: Field, text: str, rule: Callable[[str], str | None], code: ReasonCode | None) -> Said:
    """A cell read by its rule; said when it holds something that the rule does not understand."""
    value = rule(text)
    if value is None and code is not None and values.read_text(text) is not None:
        return None, Reason(code, str(about), quote(text))
    return value, None


def _guardians(about: Field, rule: Callable[[str], str | None], limit: int) -> Callable[[str], Said]:
    return lambda text: shortened(about, rule(text), limit)


_GUARDIANS: dict[Field, tuple[Callable[[str], str | None], int]] = {
    Field.GUARDIAN_FAMILY_NAME: (naming.read_name, 120),
    Field.GUARDIAN_FIRST_NAME: (naming.read_name, 120),
    Field.GUARDIAN_RELATION: (values.read_text, 40),
}
_NAMES = (Field.FAMILY_NAME, Field.FIRST_NAME, Field.USUAL_NAME)
_LIMITS = {
    Field.COMMUNE: 120,
    Field.SCHOOL: 200,
    Field.SCHOOL_COMMUNE: 120,
    Field.CLASS_LABEL: 80,
    Field.TRAINING_LABEL: 200,
    Field.EXIT_REASON: 200,
}
_CODED: dict[Field, tuple[Callable[[str], str | None], ReasonCode | None]] = {
    Field.SEX: (values.read_sex, ReasonCode.SEX_UNKNOWN),
    Field.POSTAL_CODE: (values.read_postal_code, ReasonCode.POSTAL_CODE_MALFORMED),
    Field.INSEE_CODE: (values.read_insee_code, None),
    Field.TRAINING_CODE: (values.read_training_code, None),
}
SIMPLE_FIELDS = (
    Field.USUAL_NAME,
    Field.SEX,
    Field.COMMUNE,
    Field.UAI,
    Field.SCHOOL,
    Field.SCHOOL_COMMUNE,
    Field.CLASS_LABEL,
    Field.TRAINING_LABEL,
    Field.TRAINING_CODE,
    Field.EXIT_REASON,
)
"""Fields whose cell says everything about them."""
