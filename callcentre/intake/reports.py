"""Reports of list files, exports of people: JSON for programs, XLSX and CSV for offices, no live formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.intake import current, queries
from callcentre.intake.checking import Plan, PlannedRow
from callcentre.intake.current import Gone
from callcentre.intake.kinds import Fate, problem_words
from callcentre.intake.queries import ExportedPerson, ListFileView, RowView
from callcentre.intake.reasons import Reason
from callcentre.people.candidates import Candidate

_ADDED_FR, _ADDED_EN = ("N° de ligne d’origine", "À corriger"), ("Original row number", "To correct")
"""Titles of the two added columns: none is a word by which a list's column is known, since the file comes back."""
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters by which a spreadsheet may take a text for a formula."""
_HIDING = (" ", "\u00a0", "\u202f", "\u3000", "\u200b", "\ufeff", "'", '"')
"""What may stand in front of them and be dropped."""
_UNWANTED = {"Cc", "Cf", "Cs", "Co", "Cn"}

# ---- list files


def plan_report(plan: Plan, *, name: str, programme: str, list_date: str) -> dict[str, Any]:
    """What an import would do, in the shape of `file_report`; nothing was written."""
    return {
        "file": name,
        "programme": programme,
        "list_date": list_date,
        "state": "checked",
        "rows_total": len(plan.rows),
        "rows_done": 0,
        "counts": plan.counts,
        "changed_fields": plan.changed_fields,
        "is_older": plan.is_older,
        **_columns(plan.mapping),
        "gone": [_gone(one) for one in plan.gone],
        "rows": [_planned_row(row) for row in plan.rows],
    }


def file_report(session: Session, list_file_id: int, *, with_rows: bool = True) -> dict[str, Any]:
    """A list file and, `with_rows`, the fate of each of its rows: four kilobytes of memory a row."""
    file = queries.list_file(session, list_file_id)
    found = {**file_summary(file), "gone": [_gone(one) for one in gone_from(session, file)]}
    if not with_rows:
        return found
    rows = queries.rows(session, list_file_id)
    ids = {row.person_id for row in rows if row.person_id is not None}
    people = queries.people_by_id(session, file.programme_id, ids)
    return {**found, "rows": [_stored_row(row, people.get(row.person_id or 0)) for row in rows]}


def gone_from(session: Session, file: ListFileView) -> tuple[Gone, ...]:
    """The people of the list before this one whom no list of its date names."""
    named = current.people_on(session, file.programme_id, file.list_date)
    return current.gone(session, file.programme_id, file.list_date, named) if named else ()


def _gone(one: Gone) -> dict[str, Any]:
    return {"person_id": one.person_id, "name": one.name, "birth_date": one.birth_date.isoformat()}


def file_summary(file: ListFileView) -> dict[str, Any]:
    """A list file without its rows."""
    return {
        "id": file.id,
        "file": file.name,
        "programme": file.programme_code,
        "list_date": file.list_date.isoformat(),
        "state": str(file.state),
        "problem": None if file.problem is None else problem_json(file.problem),
        "source": file.source,
        "rows_total": file.rows_total,
        "rows_done": file.rows_done,
        "counts": file.counts,
        **_columns(file.mapping),
    }


def problem_json(code: str) -> dict[str, str]:
    """Why an import stopped: its code and its words."""
    return {"code": code, "fr": problem_words(code, "fr"), "en": problem_words(code, "en")}


def _columns(mapping: dict[str, Any]) -> dict[str, Any]:
    sheets = mapping.get("sheets", [])
    return {
        "format": mapping.get("format"),
        "encoding": mapping.get("encoding"),
        "columns": [
            {
                "sheet": sheet["sheet"],
                "header_row": sheet["header_row"],
                "signature": sheet["signature"],
                "read": {
                    sheet["headers"][index]: _field(name, rank) for index, name, rank, _ in sheet["columns"]
                },
                "left_out": sheet["left_out"],
            }
            for sheet in sheets
        ],
        "unread_sheets": [*mapping.get("unread_sheets", []), *mapping.get("hidden_sheets", [])],
    }


def _field(name: str, rank: int) -> str:
    return f"{name}:{rank}" if rank else name


def _planned_row(row: PlannedRow) -> dict[str, Any]:
    return {
        "sheet": row.sheet,
        "row": row.number,
        "fate": str(row.fate),
        "changed": list(row.changed),
        "differences": [asdict(change) for change in row.differences],
        "reasons": [reason_json(reason) for reason in row.reasons],
        "values": None if row.candidate is None else candidate_values(row.candidate),
    }


def _stored_row(row: RowView, person: ExportedPerson | None) -> dict[str, Any]:
    return {
        "sheet": row.sheet,
        "row": row.number,
        "fate": str(row.fate),
        "person_id": row.person_id,
        "reasons": [reason_json(reason) for reason in row.reasons],
        "values": None if person is None else person_values(person),
        "cells": {cell.key: cell.value for cell in row.cells} or None,
    }


def candidate_values(candidate: Candidate) -> dict[str, Any]:
    """The canonical values of a row that was read, in the shape of `person_values`."""
    numbers = [
        {
            "e164": number.e164,
            "owner": str(number.owner),
            "kind": number.kind,
            "label": number.label,
            "callable": number.callable,
            "why_not": number.why_not,
        }
        for number in candidate.numbers
    ]
    return {
        "ine": candidate.ine,
        "file_number": candidate.siei,
        "family_name": candidate.family_name,
        "usual_name": candidate.usual_name,
        "first_name": candidate.first_name,
        "birth_date": candidate.birth_date.isoformat(),
        "sex": candidate.sex,
        "numbers": numbers,
        "email": candidate.email,
        "address": candidate.address,
        "postal_code": candidate.postal_code,
        "commune": candidate.commune,
        "uai": candidate.uai,
        "school": candidate.school,
        "class": candidate.class_label,
        "training": candidate.training_label,
        "psad": candidate.territory,
        "exit_date": candidate.exit_date.isoformat() if candidate.exit_date else None,
        "exit_reason": candidate.exit_reason,
    }


def person_values(person: ExportedPerson) -> dict[str, Any]:
    """The canonical values of a row that went in: the person as they stand now."""
    told = person_json(person)
    file_numbers = told.pop("file_numbers")
    for name in ("id", "ines", "in_current_list", "opted_out"):
        del told[name]
    return {**told, "file_number": file_numbers[-1] if file_numbers else None}


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason with its family, its effect and its words in both languages."""
    return {
        **reason.as_json(),
        "family": reason.family,
        "effect": str(reason.effect),
        "fr": reason.words("fr"),
        "en": reason.words("en"),
    }


def quarantine_workbook(
    session: Session, list_file_id: int, *, language: str = "fr", with_remarks: bool = False
) -> bytes:
    """The quarantined rows in their original layout with row number and reason, ready to correct and send again.

    `with_remarks` adds the rows that were let in and have something to put right.
    """
    file = queries.list_file(session, list_file_id)
    held = queries.rows(session, list_file_id, fates=() if with_remarks else [Fate.QUARANTINED])
    titles = _ADDED_EN if language == "en" else _ADDED_FR
    workbook = _new_workbook()
    for sheet in file.mapping.get("sheets", []):
        rows = [row for row in held if row.sheet == sheet["sheet"] and row.raw]
        page = workbook.create_sheet(_sheet_title(sheet["sheet"]))
        _append(page, [*sheet["headers"], *titles])
        for row in rows:
            padded = [*row.raw, *[""] * (len(sheet["headers"]) - len(row.raw))]
            words = " ".join(reason.words(language) for reason in row.reasons)
            _append(page, [*padded[: len(sheet["headers"])], str(row.number), words])
    return _saved(workbook)


# ---- people


def person_json(person: ExportedPerson) -> dict[str, Any]:
    """A person of the export; `why_not` of a number is a code, None when it may be called."""
    return {
        "id": person.id,
        "ine": person.ines[-1] if person.ines else None,
        "ines": list(person.ines),
        "file_numbers": list(person.file_numbers),
        "family_name": person.family_name,
        "usual_name": person.usual_name,
        "first_name": person.first_name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "numbers": [
            {
                "e164": number.e164,
                "owner": number.owner,
                "kind": number.kind,
                "label": number.label,
                "callable": number.callable,
                "why_not": number.why_not,
            }
            for number in person.numbers
        ],
        "email": person.email,
        "address": person.address,
        "postal_code": person.postal_code,
        "commune": person.commune,
        "uai": person.uai,
        "school": person.school,
        "class": person.class_label,
        "training": person.training_label,
        "psad": person.psad,
        "exit_date": person.exit_date.isoformat() if person.exit_date else None,
        "exit_reason": person.exit_reason,
        "in_current_list": person.in_current_list,
        "opted_out": person.opted_out,
    }


PEOPLE_COLUMNS = (
    "ine", "file_number", "family_name", "usual_name", "first_name", "birth_date", "sex", "own_numbers",
    "guardian_numbers", "other_numbers", "numbers_not_callable", "email", "address", "postal_code", "commune", "uai",
    "school", "class", "training", "psad", "exit_date", "exit_reason", "in_current_list", "opted_out",
)  # fmt: skip
"""Columns of the people as CSV and XLSX; several numbers of a cell are separated by " / "."""


def person_cells(person: ExportedPerson) -> list[str]:
    """A person as one row under `PEOPLE_COLUMNS`."""

    def shown(owner: str) -> str:
        return " / ".join(phone.display(n.e164) for n in person.numbers if n.callable and n.owner == owner)

    barred = " / ".join(f"{phone.display(n.e164)} ({n.why_not})" for n in person.numbers if not n.callable)
    cells = [
        " / ".join(person.ines), " / ".join(person.file_numbers), person.family_name, person.usual_name,
        person.first_name, person.birth_date.isoformat(), person.sex, shown("young_person"), shown("guardian"),
        shown("other"), barred, person.email, person.address, person.postal_code, person.commune, person.uai,
        person.school, person.class_label, person.training_label, person.psad,
        person.exit_date.isoformat() if person.exit_date else None, person.exit_reason,
        "1" if person.in_current_list else "0", "1" if person.opted_out else "0",
    ]  # fmt: skip
    return [cell or "" for cell in cells]


def people_csv(people: Iterable[ExportedPerson]) -> Iterator[str]:
    """The people as CSV text in pieces: semicolons, a byte-order mark for spreadsheets, no live formula."""
    yield "\ufeff"
    yield _csv_line(PEOPLE_COLUMNS)
    for person in people:
        yield _csv_line(person_cells(person))


def people_workbook(people: Iterable[ExportedPerson]) -> bytes:
    """The people as a workbook of text cells."""
    workbook = _new_workbook()
    page = workbook.create_sheet("people")
    _append(page, PEOPLE_COLUMNS)
    for person in people:
        _append(page, person_cells(person))
    return _saved(workbook)


# ---- writing


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, without controls or marks that turn the order of letters.

    Spaces and invisible characters in front do not hide a sign; the wide signs of Asian keyboards count too.
    """
    if text.isprintable() and not text.startswith(_LIVE):
        return text if text[:1] not in _HIDING else _guarded(text)
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _UNWANTED)
    return _guarded(kept)


def _guarded(text: str) -> str:
    seen = text.lstrip("".join(_HIDING))
    return f"'{text}" if seen.startswith(_LIVE) or text.startswith(_LIVE) else text


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def _new_workbook() -> Any:
    from openpyxl import Workbook  # slow to import, and rarely needed

    return Workbook(write_only=True)


def _append(page: Any, cells: Sequence[str]) -> None:
    """A row of cells that are text whatever they begin with."""
    from openpyxl.cell import WriteOnlyCell

    written = []
    for text in cells:
        cell = WriteOnlyCell(page, value=harmless(text))
        cell.data_type = "s"
        written.append(cell)
    page.append(written)


def _sheet_title(name: str) -> str:
    return "".join(c for c in name if c not in "[]:*?/\\")[:31] or "quarantaine"


def _saved(workbook: Any) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()
