"""A row to a candidate: every cell read by its rule, what cannot be read said, nobody lost for one cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from callcentre.intake import values
from callcentre.intake.fields import GUARDIAN_FIELDS, Field
from callcentre.intake.mapping import Column, SheetMapping
from callcentre.intake.marked import mark_reasons
from callcentre.intake.reader import Cells, Row, Sheet
from callcentre.intake.reading import SIMPLE_FIELDS, CellRules, Said, Scope, read_by, shortened
from callcentre.intake.reasons import NUMBER_CODES, Effect, Reason, ReasonCode
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import NumberOwner
from callcentre.people.names import fold, sort_name
from callcentre.phone import (
    NumberKind,
    NumberLabel,
    NumberReason,
    ParsedNumber,
    plain_number,
    read_cell,
    region_of_postal_code,
)
from callcentre.programmes import Programme

__all__ = ["ReadRow", "Rejection", "RowReader", "Scope", "name_of", "read_row", "read_sheet", "scope_of"]

_ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that is no candidate: quarantined or ignored, for these reasons."""

    reasons: tuple[Reason, ...]
    name: str = ""
    """Whom it speaks of, as far as that can be read."""

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


def name_of(outcome: Candidate | Rejection) -> str:
    """Whom a row speaks of, as written."""
    if isinstance(outcome, Rejection):
        return outcome.name
    return f"{outcome.family_name} {outcome.first_name}"


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


def read_sheet(sheet: Sheet, reader: RowReader, *, skip: int = 0) -> Iterator[ReadRow]:
    """Every row of a sheet except its header, in order, without the first `skip` of them."""
    header_row = reader.mapping.header_row
    for row in sheet.rows_from(_after(sheet, header_row, skip)):
        if row.number != header_row:
            yield reader.row(sheet.name, row)


def _after(sheet: Sheet, header_row: int, skip: int) -> int:
    """Where to go on after `skip` rows, the header not counted: no row stands further down than its number."""
    if not skip or not header_row:
        return skip
    above = islice(sheet.rows_from(0), min(skip + 1, header_row))
    return skip + any(row.number == header_row for row in above)


def read_row(sheet: str, number: int, cells: Cells, mapping: SheetMapping, scope: Scope) -> ReadRow:
    """One row of people to a candidate, or to the reasons why it cannot be one yet."""
    return RowReader(mapping, scope).person(sheet, Row(number, cells))


class RowReader:
    """Reads the rows of one sheet, one after the other."""

    def __init__(self, mapping: SheetMapping, scope: Scope, totals: frozenset[str] = frozenset()) -> None:
        self.mapping, self._scope, self._totals = mapping, scope, totals
        self._rules = CellRules(mapping, scope)
        self._crowded = mapping.habits.crowded
        self._place = self._rules.place
        columns = mapping.columns
        self._phones = [c for c in columns if c.field in {Field.PHONE, Field.GUARDIAN_PHONE}]
        self._guardians = [
            (
                c.index,
                c.rank,
                c.relation.upper() if c.relation else None,
                _GUARDIAN_NAMES[c.field],
                remembered,
            )
            for c in columns
            if c.field in _GUARDIAN_NAMES
            for remembered in [self._rules.guardians.get(c.field)]
        ]
        self._addresses = [c.index for c in columns if c.field is Field.ADDRESS]
        self._birth_at = self._place.get(Field.BIRTH_DATE, -1)
        self._simple = [
            (_ATTRIBUTES[about], self._place[about], remembered)
            for about, remembered in self._rules.remembered().items()
            if about in self._place
        ]
        self._width = max((column.index for column in columns), default=-1) + 1

    def row(self, sheet: str, row: Row) -> ReadRow:
        """A row of the file: a person's, or one that speaks of nobody."""
        ignored = self._ignored(row)
        if ignored is not None:
            return ReadRow(sheet, row.number, row.cells, Rejection((Reason(ignored),)))
        read = self.person(sheet, row)
        return self._marked(read, row) if row.marks else read

    def _marked(self, read: ReadRow, row: Row) -> ReadRow:
        """A row with what the reader had to say about it; cells that may stand in the wrong column hold it back."""
        reasons = mark_reasons(row.marks, self.mapping)
        held = tuple(reason for reason in reasons if reason.effect is Effect.QUARANTINE)
        remarks = (*read.remarks, *(reason for reason in reasons if reason not in held))
        already = read.outcome.reasons if isinstance(read.outcome, Rejection) else ()
        outcome = Rejection((*held, *already), name_of(read.outcome)) if held else read.outcome
        return replace(read, outcome=outcome, remarks=remarks)

    def person(self, sheet: str, row: Row) -> ReadRow:
        """A row that speaks of a person."""
        remarks: list[Reason] = []
        cells = row.cells
        if len(cells) < self._width:
            cells = cells + ("",) * (self._width - len(cells))
        outcome = self._outcome(cells, remarks)
        return ReadRow(sheet, row.number, row.cells, outcome, tuple(remarks))

    # ---- rows of nobody

    def _ignored(self, row: Row) -> ReasonCode | None:
        birth = row.cells[self._birth_at] if 0 <= self._birth_at < len(row.cells) else ""
        if len(birth) > 4 and birth[0].isdigit() and row.number > self.mapping.header_row:
            return None
        said = [cell for cell in row.cells if cell and not cell.isspace()]
        if not said:
            return ReasonCode.BLANK_ROW
        if row.number < self.mapping.header_row:
            return ReasonCode.TITLE_ROW
        if self._repeats_header(row, said):
            return ReasonCode.REPEATED_HEADER
        first = fold(said[0])
        if len(said) <= 4 and any(first == word or first.startswith(f"{word} ") for word in self._totals):
            at = row.cells.index(said[0])
            others = (column for column in self.mapping.columns if column.index != at)
            held = {column.field for column in others if _at(row.cells, column.index).strip()}
            if not held & {Field.FIRST_NAME, Field.INE}:
                return ReasonCode.TOTAL_ROW
        return None

    def _repeats_header(self, row: Row, said: list[str]) -> bool:
        headers = set(self.mapping.header_cells)
        under_titles = {header.rpartition(" – ")[2] for header in self.mapping.headers}
        headers |= {fold(header) for header in under_titles if header.strip()}
        folded = [fold(cell) for cell in said]
        return len(folded) > 1 and sum(cell in headers for cell in folded) > 0.7 * len(folded)

    # ---- a person

    def _outcome(self, cells: Cells, remarks: list[Reason]) -> Candidate | Rejection:
        rules, scope = self._rules, self._scope
        family_name, first_name, obstacle = rules.both_names(cells, len(cells), remarks)
        obstacles = [] if obstacle is None else [obstacle]
        birth_date = self._birth_date(cells, obstacles, remarks)
        if obstacles or family_name is None or first_name is None or birth_date is None:
            return Rejection(tuple(obstacles), " ".join(filter(None, (family_name, first_name))))
        said: dict[str, str | None] = {}
        for name, at, remembered in self._simple:
            said[name], odd = remembered[cells[at]]
            if odd is not None:
                remarks.append(odd)
        postal_code = self._postal(cells, said.get("commune"), remarks)
        numbers = self._numbers(cells, postal_code, remarks)
        guardians = self._guardians_of(cells, remarks)
        self._remark_contacts(numbers, guardians, values.age_on(birth_date, scope.list_date), remarks)
        siei = self._cell(Field.SIEI, cells)
        return Candidate(
            family_name=family_name,
            first_name=first_name,
            birth_date=birth_date,
            sort_name=sort_name(family_name, first_name),
            ine=self._ine(cells, remarks),
            siei=values.read_siei(siei) if siei else None,
            email=self._email(cells, remarks),
            address=self._address(cells, remarks),
            postal_code=postal_code,
            exit_date=self._exit_date(cells, birth_date, remarks),
            territory=self._territory(cells, postal_code, remarks),
            guardians=guardians,
            numbers=numbers,
            more_ines=(),
            **said,
        )

    def _cell(self, about: Field, cells: Cells) -> str:
        at = self._place.get(about)
        return "" if at is None else cells[at]

    def _keep(self, said: Said, remarks: list[Reason]) -> str | None:
        value, odd = said
        if odd is not None:
            remarks.append(odd)
        return value

    def _birth_date(self, cells: Cells, obstacles: list[Reason], remarks: list[Reason]) -> date | None:
        text = cells[self._birth_at] if self._birth_at >= 0 else ""
        born, odd = self._rules.births[text] if text else _NO_BIRTH_DATE
        if odd is not None:
            (obstacles if born is None else remarks).append(odd)
        return born

    def _ine(self, cells: Cells, remarks: list[Reason]) -> str | None:
        said = self._cell(Field.INE, cells)
        return self._keep(self._rules.ine(said), remarks) if said else None

    def _email(self, cells: Cells, remarks: list[Reason]) -> str | None:
        said = self._cell(Field.EMAIL, cells)
        if not said:
            return None
        return self._keep(read_by(Field.EMAIL, said, values.read_email, ReasonCode.EMAIL_MALFORMED), remarks)

    def _address(self, cells: Cells, remarks: list[Reason]) -> str | None:
        lines = [cells[at] for at in self._addresses if cells[at] and not cells[at].isspace()]
        if not lines:
            return None
        return self._keep(shortened(Field.ADDRESS, values.say(", ".join(lines)), 300), remarks)

    def _postal(self, cells: Cells, commune: str | None, remarks: list[Reason]) -> str | None:
        text, insee = self._cell(Field.POSTAL_CODE, cells), self._cell(Field.INSEE_CODE, cells)
        if not text and not insee:
            return None
        code = self._rules.coded[Field.INSEE_CODE][insee][0] if insee else None
        return self._keep(self._rules.postal(text, commune, code), remarks)

    def _exit_date(self, cells: Cells, born: date, remarks: list[Reason]) -> date | None:
        said = self._cell(Field.EXIT_DATE, cells)
        if not said:
            return None
        left, odd = self._rules.exit_date(said, born, self._cell(Field.ENTRY_DATE, cells))
        if odd is not None:
            remarks.append(odd)
        return left

    def _territory(self, cells: Cells, postal_code: str | None, remarks: list[Reason]) -> str | None:
        return self._keep(self._rules.territory(self._cell(Field.TERRITORY, cells), postal_code), remarks)

    # ---- guardians and telephone numbers

    def _guardians_of(self, cells: Cells, remarks: list[Reason]) -> tuple[CandidateGuardian, ...]:
        found: dict[int, dict[str, str]] = {}
        for at, rank, relation, name, remembered in self._guardians:
            text = cells[at]
            if not text or text.isspace():
                continue
            about = found.setdefault(rank, {})
            if relation is not None:
                about.setdefault("relation", relation)
            if remembered is not None:
                value, odd = remembered[text]
                if odd is not None:
                    remarks.append(odd)
                if value is not None:
                    about[name] = value
        if not found:
            return ()
        return tuple(CandidateGuardian(rank, **about) for rank, about in sorted(found.items()) if about)

    def _numbers(
        self, cells: Cells, postal_code: str | None, remarks: list[Reason]
    ) -> tuple[CandidateNumber, ...]:
        region = region_of_postal_code(postal_code)
        region = self._scope.region if region == "FR" else region
        found: dict[str, CandidateNumber] = {}
        for column in self._phones:
            text = cells[column.index]
            if not text or text.isspace():
                continue
            plain = plain_number(text) if region == "FR" else None
            if plain is not None:
                if plain[0] not in found:
                    found[plain[0]] = _plainly_owned(*plain, column)
                    self._remark_crowded(plain[0], text, column.field, remarks)
                continue
            for number in read_cell(text, region):
                if number.why not in _UNREMARKABLE:
                    self._remark_number(number, column.field, remarks)
                if number.e164 is not None and number.e164 not in found:
                    found[number.e164] = _owned(number, column)
                    self._remark_crowded(number.e164, number.raw, column.field, remarks)
        return tuple(found.values())

    def _remark_crowded(self, e164: str, text: str, about: Field, remarks: list[Reason]) -> None:
        if e164 in self._crowded:
            remarks.append(Reason(ReasonCode.NUMBER_OF_MANY, str(about), values.clean(text)[:60]))

    @staticmethod
    def _remark_number(number: ParsedNumber, about: Field, remarks: list[Reason]) -> None:
        code = NUMBER_CODES.get(number.why)
        if code is not None:
            remarks.append(Reason(code, str(about), values.clean(number.raw)[:60]))

    @staticmethod
    def _remark_contacts(
        numbers: tuple[CandidateNumber, ...],
        guardians: tuple[CandidateGuardian, ...],
        age: int,
        remarks: list[Reason],
    ) -> None:
        if not any(number.callable for number in numbers):
            remarks.append(Reason(ReasonCode.NO_CALLABLE_NUMBER, str(Field.PHONE)))
        has_guardian = guardians or any(number.owner is NumberOwner.GUARDIAN for number in numbers)
        if age < _ADULT_AGE and not has_guardian:
            remarks.append(Reason(ReasonCode.MINOR_WITHOUT_GUARDIAN, str(Field.GUARDIAN_FAMILY_NAME)))


def _at(cells: Cells, index: int) -> str:
    return cells[index] if index < len(cells) else ""


_NO_BIRTH_DATE = (None, Reason(ReasonCode.BIRTH_DATE_MISSING, str(Field.BIRTH_DATE)))
_UNREMARKABLE = frozenset({NumberReason.VALID, NumberReason.FICTION_BLOCK})
_GUARDIAN_NAMES = {name: key for key, name in GUARDIAN_FIELDS.items()}
_ATTRIBUTES = {about: about.value for about in SIMPLE_FIELDS}
"""Fields that are attributes of a candidate under their own name."""
_OWNERS = {
    NumberLabel.MOTHER: NumberOwner.GUARDIAN,
    NumberLabel.FATHER: NumberOwner.GUARDIAN,
    NumberLabel.GUARDIAN: NumberOwner.GUARDIAN,
    NumberLabel.RELATIVE: NumberOwner.OTHER,
    NumberLabel.OTHER: NumberOwner.OTHER,
}
_OWNERS_AMONG_GUARDIANS = {
    NumberLabel.YOUNG_PERSON: NumberOwner.YOUNG_PERSON,
    NumberLabel.OTHER: NumberOwner.OTHER,
}
"""In a guardian's column an aunt may well be the guardian; a neighbour or a youth worker is not."""


def _plainly_owned(e164: str, kind: NumberKind, column: Column) -> CandidateNumber:
    """A number without a word beside it is whose column it stands in."""
    if column.field is Field.GUARDIAN_PHONE:
        return CandidateNumber(e164, kind.value, NumberOwner.GUARDIAN, column.rank)
    return CandidateNumber(e164, kind.value, NumberOwner.YOUNG_PERSON)


def _owned(number: ParsedNumber, column: Column) -> CandidateNumber:
    """Whose it is: the words beside it, else its column."""
    is_guardians, label = column.field is Field.GUARDIAN_PHONE, number.label
    owner = NumberOwner.GUARDIAN if is_guardians else NumberOwner.YOUNG_PERSON
    if label is not None:
        owner = (_OWNERS_AMONG_GUARDIANS if is_guardians else _OWNERS).get(label, owner)
    return CandidateNumber(
        e164=number.e164 or "",
        kind=number.kind.value,
        owner=owner,
        guardian_rank=column.rank if is_guardians and owner is NumberOwner.GUARDIAN else None,
        label=None if label is None else label.value,
        callable=number.callable,
        why_not=None if number.callable else number.why.value,
    )
