"""A row to a candidate: every cell read by its rule, what cannot be read said, nobody lost for one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from callcentre.intake import values
from callcentre.intake.fields import GUARDIAN_FIELDS, SEVERAL_COLUMNS, Field
from callcentre.intake.mapping import Column, SheetMapping
from callcentre.intake.reader import Cells, Row, Sheet
from callcentre.intake.reasons import NUMBER_CODES, Effect, Reason, ReasonCode
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import NumberOwner
from callcentre.people.names import fold, sort_name
from callcentre.phone import NumberLabel, NumberReason, ParsedNumber, read_cell, region_of_postal_code
from callcentre.programmes import Programme

_ADULT_AGE = 18
_OLD_EXIT_DAYS = 731
_SHOWN = 60
"""Characters of a cell that a reason quotes."""


@dataclass(frozen=True)
class Scope:
    """Against what a list is judged: its date, the programme's ages, its territories by name and postcode."""

    list_date: date
    minimum_age: int
    maximum_age: int
    region: str
    territories: Mapping[str, str]
    territory_of_postal_code: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that is no candidate: quarantined or ignored, for these reasons."""

    reasons: tuple[Reason, ...]

    @property
    def is_ignored(self) -> bool:
        """Whether the row speaks of nobody (a title, a total, a blank)."""
        return all(reason.effect is Effect.IGNORE for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of the file with what it turned out to be, and the remarks on its cells."""

    sheet: str
    number: int
    cells: Cells
    outcome: Candidate | Rejection
    remarks: tuple[Reason, ...] = ()


def scope_of(programme: Programme, list_date: date) -> Scope:
    """The scope of a list of a programme."""
    names: dict[str, str] = {}
    for territory in programme.territories:
        for name in (territory.code, territory.label, fold(territory.label).removeprefix("psad ")):
            names.setdefault(fold(name), territory.code)
    return Scope(
        list_date=list_date,
        minimum_age=programme.intake.minimum_age,
        maximum_age=programme.intake.maximum_age,
        region=programme.region,
        territories=names,
        territory_of_postal_code={code: t.code for t in programme.territories for code in t.postal_codes},
    )


def read_sheet(
    sheet: Sheet, mapping: SheetMapping, scope: Scope, totals: frozenset[str], *, skip: int = 0
) -> Iterator[ReadRow]:
    """Every row of a sheet except its header, in order, without the first `skip` of them."""
    for row in sheet.rows[skip if skip < mapping.header_row else skip + 1 :]:
        if row.number == mapping.header_row:
            continue
        ignored = _ignored(row, mapping, totals)
        if ignored is not None:
            yield ReadRow(sheet.name, row.number, row.cells, Rejection((Reason(ignored),)))
        else:
            yield read_row(sheet.name, row.number, row.cells, mapping, scope)


def _ignored(row: Row, mapping: SheetMapping, totals: frozenset[str]) -> ReasonCode | None:
    said = [cell for cell in row.cells if cell and not cell.isspace()]
    if not said:
        return ReasonCode.BLANK_ROW
    if row.number < mapping.header_row:
        return ReasonCode.TITLE_ROW
    first = fold(said[0])
    if first == mapping.header_cells[0] or fold(said[-1]) == mapping.header_cells[-1]:
        folded = [fold(cell) for cell in row.cells if cell.strip()]
        headers = set(mapping.header_cells)
        if len(folded) > 1 and sum(cell in headers for cell in folded) > 0.7 * len(folded):
            return ReasonCode.REPEATED_HEADER
    if len(said) <= 4 and any(first == word or first.startswith(f"{word} ") for word in totals):
        held = {column.field for column in mapping.columns if _at(row.cells, column.index).strip()}
        if not held & {Field.FIRST_NAME, Field.INE}:
            return ReasonCode.TOTAL_ROW
    return None


def read_row(sheet: str, number: int, cells: Cells, mapping: SheetMapping, scope: Scope) -> ReadRow:
    """One row of people to a candidate, or to the reasons why it cannot be one yet."""
    reading = _Reading(scope)
    said, width = reading.said, len(cells)
    for column in mapping.columns:
        text = cells[column.index] if column.index < width else ""
        if not text or text.isspace():
            continue
        if column.field in _GATHERED:
            reading.gather(column, text)
        else:
            said[column.field] = text
    outcome = reading.outcome()
    return ReadRow(sheet, number, cells, outcome, tuple(reading.remarks))


def _at(cells: Cells, index: int) -> str:
    return cells[index] if index < len(cells) else ""


_GATHERED = SEVERAL_COLUMNS | frozenset(GUARDIAN_FIELDS.values())


@dataclass(slots=True)
class _GuardianReading:
    family_name: str | None = None
    first_name: str | None = None
    relation: str | None = None


@dataclass(slots=True)
class _Reading:
    """The cells of one row as they are read; phones wait for the postal code, which decides the region."""

    scope: Scope
    said: dict[Field, str] = field(default_factory=dict)
    phones: list[tuple[Column, str]] = field(default_factory=list)
    guardians: dict[int, _GuardianReading] = field(default_factory=dict)
    remarks: list[Reason] = field(default_factory=list)

    def gather(self, column: Column, text: str) -> None:
        """Keep a cell of a field that is spread over columns or belongs to a guardian."""
        match column.field:
            case Field.PHONE:
                self.phones.append((column, text))
            case Field.GUARDIAN_PHONE:
                self.phones.append((column, text))
                self._relation(column)
            case Field.GUARDIAN_FAMILY_NAME:
                self._guardian(column.rank).family_name = self._short(column.field, values.read_name(text))
                self._relation(column)
            case Field.GUARDIAN_FIRST_NAME:
                self._guardian(column.rank).first_name = self._short(column.field, values.read_name(text))
                self._relation(column)
            case Field.GUARDIAN_RELATION:
                self._guardian(column.rank).relation = self._short(column.field, values.read_text(text), 40)
            case _:
                known = self.said.get(column.field)
                self.said[column.field] = f"{known}, {text}" if known else text

    def _guardian(self, rank: int) -> _GuardianReading:
        return self.guardians.setdefault(rank, _GuardianReading())

    def _relation(self, column: Column) -> None:
        if column.relation and self._guardian(column.rank).relation is None:
            self._guardian(column.rank).relation = column.relation.upper()

    def outcome(self) -> Candidate | Rejection:
        """The candidate, or why there is none."""
        family_name, first_name = self._name(Field.FAMILY_NAME), self._name(Field.FIRST_NAME)
        birth_date, obstacle = self._birth_date()
        obstacles = [] if obstacle is None else [obstacle]
        if family_name is None or first_name is None:
            missing = Field.FAMILY_NAME if family_name is None else Field.FIRST_NAME
            obstacles.insert(0, Reason(ReasonCode.NAME_MISSING, missing))
        if obstacles or family_name is None or first_name is None or birth_date is None:
            return Rejection(tuple(obstacles))
        code = ReasonCode.POSTAL_CODE_MALFORMED
        postal_code = self._read(Field.POSTAL_CODE, values.read_postal_code, code)
        numbers = self._numbers(postal_code)
        guardians = tuple(
            CandidateGuardian(rank, g.family_name, g.first_name, g.relation)
            for rank, g in sorted(self.guardians.items())
            if g.family_name or g.first_name or g.relation
        )
        self._remark_contacts(numbers, guardians, values.age_on(birth_date, self.scope.list_date))
        return Candidate(
            family_name=family_name,
            first_name=first_name,
            birth_date=birth_date,
            sort_name=sort_name(family_name, first_name),
            ine=self._read(Field.INE, values.read_ine, ReasonCode.INE_MALFORMED),
            siei=values.read_siei(self.said.get(Field.SIEI, "")),
            usual_name=self._name(Field.USUAL_NAME),
            sex=self._read(Field.SEX, values.read_sex, ReasonCode.SEX_UNKNOWN),
            email=self._read(Field.EMAIL, values.read_email, ReasonCode.EMAIL_MALFORMED),
            address=self._text(Field.ADDRESS, 300),
            postal_code=postal_code,
            commune=self._text(Field.COMMUNE, 120),
            uai=self._uai(),
            school=self._text(Field.SCHOOL, 200),
            school_commune=self._text(Field.SCHOOL_COMMUNE, 120),
            class_label=self._text(Field.CLASS_LABEL, 80),
            training_label=self._text(Field.TRAINING_LABEL, 200),
            training_code=values.read_training_code(self.said.get(Field.TRAINING_CODE, "")),
            exit_date=self._exit_date(),
            exit_reason=self._text(Field.EXIT_REASON, 200),
            territory=self._territory(postal_code),
            guardians=guardians,
            numbers=numbers,
        )

    # ---- one rule each

    def _say(self, code: ReasonCode, about: Field, value: str | None = None) -> None:
        shown = None if value is None else values.clean(value)[:_SHOWN]
        self.remarks.append(Reason(code, str(about), shown))

    def _short(self, about: Field, text: str | None, limit: int = 120) -> str | None:
        if text is not None and len(text) > limit:
            self._say(ReasonCode.VALUE_TOO_LONG, about)
            return text[:limit]
        return text

    def _text(self, about: Field, limit: int) -> str | None:
        said = self.said.get(about)
        return None if said is None else self._short(about, values.read_text(said), limit)

    def _name(self, about: Field) -> str | None:
        said = self.said.get(about)
        return None if said is None else self._short(about, values.read_name(said))

    def _birth_date(self) -> tuple[date | None, Reason | None]:
        said = self.said.get(Field.BIRTH_DATE)
        about = str(Field.BIRTH_DATE)
        if said is None or values.read_text(said) is None:
            return None, Reason(ReasonCode.BIRTH_DATE_MISSING, about)
        shown = values.clean(said)[:_SHOWN]
        day = values.read_date(said, self.scope.list_date)
        if day is None:
            return None, Reason(ReasonCode.BIRTH_DATE_IMPOSSIBLE, about, shown)
        if day > self.scope.list_date:
            return None, Reason(ReasonCode.BIRTH_DATE_FUTURE, about, shown)
        age = values.age_on(day, self.scope.list_date)
        if age < self.scope.minimum_age:
            return None, Reason(ReasonCode.AGE_UNDER, about, str(age))
        if age > self.scope.maximum_age:
            self._say(ReasonCode.AGE_OVER, Field.BIRTH_DATE, str(age))
        return day, None

    def _exit_date(self) -> date | None:
        said = self.said.get(Field.EXIT_DATE)
        if said is None or values.read_text(said) is None:
            return None
        day = values.read_date(said, date(self.scope.list_date.year + 1, 12, 31))
        if day is None:
            self._say(ReasonCode.EXIT_DATE_IMPOSSIBLE, Field.EXIT_DATE, said)
        elif day > self.scope.list_date:
            self._say(ReasonCode.EXIT_DATE_FUTURE, Field.EXIT_DATE, said)
        elif (self.scope.list_date - day).days > _OLD_EXIT_DAYS:
            self._say(ReasonCode.EXIT_DATE_OLD, Field.EXIT_DATE, said)
        return day

    def _read(self, about: Field, rule: Callable[[str], str | None], code: ReasonCode) -> str | None:
        """A cell read by its rule; said when it holds something that the rule does not understand."""
        said = self.said.get(about)
        if said is None:
            return None
        value = rule(said)
        if value is None and values.read_text(said) is not None:
            self._say(code, about, said)
        return value

    def _uai(self) -> str | None:
        uai = self._read(Field.UAI, values.read_uai, ReasonCode.UAI_MALFORMED)
        if uai is not None and not values.uai_letter_is_right(uai):
            self._say(ReasonCode.UAI_CHECK_LETTER, Field.UAI, uai)
            return None
        return uai

    def _territory(self, postal_code: str | None) -> str | None:
        said = self.said.get(Field.TERRITORY)
        if said:
            folded = fold(said)
            known = self.scope.territories.get(folded)
            known = known or self.scope.territories.get(folded.removeprefix("psad "))
            if known is not None:
                return known
        derived = self.scope.territory_of_postal_code.get(postal_code or "")
        if derived is not None:
            self._say(ReasonCode.TERRITORY_FROM_POSTAL_CODE, Field.TERRITORY)
        else:
            self._say(ReasonCode.TERRITORY_UNKNOWN, Field.TERRITORY, said or "")
        return derived

    # ---- telephone numbers

    def _numbers(self, postal_code: str | None) -> tuple[CandidateNumber, ...]:
        region = region_of_postal_code(postal_code)
        region = self.scope.region if region == "FR" else region
        found: dict[str, CandidateNumber] = {}
        for column, text in self.phones:
            for number in read_cell(text, region):
                self._remark_number(number, column.field)
                if number.e164 is not None and number.e164 not in found:
                    found[number.e164] = _owned(number, column)
        return tuple(found.values())

    def _remark_number(self, number: ParsedNumber, about: Field) -> None:
        if number.callable and number.why is not NumberReason.FOREIGN:
            return
        code = NUMBER_CODES.get(number.why)
        if code is not None:
            self._say(code, about, number.raw)

    def _remark_contacts(
        self, numbers: tuple[CandidateNumber, ...], guardians: tuple[CandidateGuardian, ...], age: int
    ) -> None:
        if not any(number.callable for number in numbers):
            self._say(ReasonCode.NO_CALLABLE_NUMBER, Field.PHONE)
        has_guardian = guardians or any(number.owner is NumberOwner.GUARDIAN for number in numbers)
        if age < _ADULT_AGE and not has_guardian:
            self._say(ReasonCode.MINOR_WITHOUT_GUARDIAN, Field.GUARDIAN_FAMILY_NAME)


_OWNERS = {
    NumberLabel.MOTHER: NumberOwner.GUARDIAN,
    NumberLabel.FATHER: NumberOwner.GUARDIAN,
    NumberLabel.GUARDIAN: NumberOwner.GUARDIAN,
    NumberLabel.RELATIVE: NumberOwner.OTHER,
    NumberLabel.OTHER: NumberOwner.OTHER,
}


def _owned(number: ParsedNumber, column: Column) -> CandidateNumber:
    """Whose it is: the words beside it, else its column."""
    if column.field is Field.GUARDIAN_PHONE:
        mine = number.label is NumberLabel.YOUNG_PERSON
        owner = NumberOwner.YOUNG_PERSON if mine else NumberOwner.GUARDIAN
    else:
        owner = (
            _OWNERS.get(number.label, NumberOwner.YOUNG_PERSON) if number.label else NumberOwner.YOUNG_PERSON
        )
    guardians = column.field is Field.GUARDIAN_PHONE and owner is NumberOwner.GUARDIAN
    return CandidateNumber(
        e164=number.e164 or "",
        kind=str(number.kind),
        owner=owner,
        guardian_rank=column.rank if guardians else None,
        label=str(number.label) if number.label else None,
        callable=number.callable,
        why_not=None if number.callable else str(number.why),
    )
