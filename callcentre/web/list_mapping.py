"""The columns of a list: which is read as what and why others are not, put right by hand and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries as accounts
from callcentre.audit import trail
from callcentre.errors import InvalidInput
from callcentre.intake import profiles, received, unmapped
from callcentre.intake.apart import read_list
from callcentre.intake.headers import LeftOut
from callcentre.intake.kinds import ListState
from callcentre.intake.mapping import Choice, SheetMapping
from callcentre.intake.preparing import PreparedList, prepare_read, sheet_mapping, with_reading
from callcentre.intake.reader import DELIMITERS, ENCODINGS, ListContent, Refusal, Sheet
from callcentre.intake.reader import Choice as ReadingChoice
from callcentre.intake.received import Received
from callcentre.web import list_words, lists
from callcentre.web.context import now, user
from callcentre.web.forms import whole_number
from callcentre.web.i18n import gettext, language, typography
from callcentre.web.list_pages import programme_of
from callcentre.web.transaction import database, reading

blueprint = Blueprint("list_mapping", __name__, url_prefix="/lists")

_COLUMNS = "/<int:list_id>/columns"
_HEADERS_OFFERED = 12
"""Rows from which the header may be chosen."""
_PREVIEWED = 8
_LOOKED_AT = 60
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column as its line shows it: `read_as` is the field (`guardian_phone:2`), `why` says why it is not read."""

    index: int
    letter: str
    header: str
    read_as: str
    why: LeftOut | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SheetView:
    """A sheet on the page of its columns; `place` tells its form fields from those of the others."""

    place: int
    sheet: str
    header_row: int
    header_rows: tuple[tuple[int, str], ...]
    columns: tuple[ColumnView, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    signature: str
    remembered: str
    """Who chose these columns for an earlier list and when; empty when nobody did."""


@blueprint.get(_COLUMNS)
def show(list_id: int) -> BaseResponse:
    """Show the columns of a list that is not imported yet."""
    with reading() as session:
        waiting = received.received(session, list_id)
    found = _read(waiting, _stored_reading(waiting))
    stored = {one["sheet"]: sheet_mapping(one) for one in waiting.file.mapping["sheets"]}
    return make_response(_page(waiting, found, stored))


@blueprint.post(_COLUMNS)
def choose(list_id: int) -> BaseResponse:
    """Look again with another header row or another way to read the text, or check the list with these columns."""
    with reading() as session:
        waiting = received.received(session, list_id)
    read_as = _chosen_reading()
    found = _read(waiting, read_as)
    automatic = Choice(header_rows=_header_rows(found))
    drafts = dict(_drafts(found, automatic))
    if request.form.get("action") != "check":
        return make_response(_page(waiting, found, {}, choice=automatic))
    chosen = {
        sheet.name: _differences(place, drafts[sheet]) for place, sheet in _placed(found) if sheet in drafts
    }
    choice = Choice(header_rows=automatic.header_rows, sheets=chosen)
    programme = programme_of(waiting.file)
    prepared = prepare_read(
        found,
        waiting.content,
        waiting.file.name,
        programme=programme,
        list_date=waiting.file.list_date,
        words=lists.column_words(),
        chosen=choice,
    )
    if isinstance(prepared, Refusal):
        return make_response(_page(waiting, found, {}, choice=choice, refusal=prepared), 422)
    if request.form.get("remember") == "1":
        _remember(prepared, chosen)
    unmapped.named(database(), list_id)
    lists.receive(with_reading(prepared, read_as), programme)
    return redirect(f"/lists/{list_id}", 303)


@blueprint.post(f"{_COLUMNS}/forget")
def forget(list_id: int) -> BaseResponse:
    """Forget what was remembered of these headers; this list keeps its columns until it is checked again."""
    if profiles.forget(database(), request.form.get("signature", "")[:16]):
        trail.record(database(), "list_profile_forgotten", "list_file", list_id, by=user().id, now=now())
        flash(gettext("Ces colonnes ne seront plus reconnues d’après votre choix."))
    return redirect(f"/lists/{list_id}/columns", 303)


# ---- what was posted


def _stored_reading(waiting: Received) -> ReadingChoice | None:
    stored = waiting.file.mapping.get("read_as")
    return ReadingChoice(**stored) if stored else None


def _chosen_reading() -> ReadingChoice | None:
    encoding, delimiter = request.form.get("encoding", ""), request.form.get("delimiter", "")
    chosen = ReadingChoice(
        encoding if encoding in ENCODINGS else None, delimiter if delimiter in DELIMITERS else None
    )
    return None if chosen == ReadingChoice() else chosen


def _read(waiting: Received, read_as: ReadingChoice | None) -> ListContent:
    found = read_list(waiting.content, waiting.file.name, read_as)
    if isinstance(found, Refusal):
        raise InvalidInput(found.fr, field="file")
    return found


def _placed(found: ListContent) -> list[tuple[int, Sheet]]:
    return list(enumerate(found.sheets))


def _header_rows(found: ListContent) -> dict[str, int]:
    """The header rows that were chosen; where none was, it is found out."""
    rows = {
        sheet.name: whole_number(request.form.get(f"header_row.{place}")) for place, sheet in _placed(found)
    }
    return {name: number for name, number in rows.items() if number is not None and 0 <= number <= 1000}


def _drafts(found: ListContent, choice: Choice) -> list[tuple[Sheet, SheetMapping]]:
    """Each sheet with what is recognised by itself under the header row of a choice, nothing remembered."""
    return list(unmapped.drafts(found, lists.column_words(), choice=choice))


def _differences(place: int, draft: SheetMapping) -> dict[str, str]:
    """The columns that the person wants read otherwise than they are recognised, by "#position"."""
    usual = {column.index: _read_as(column.field, column.rank) for column in draft.columns}
    wanted = {
        index: request.form.get(f"read_as.{place}.{index}", usual.get(index, ""))
        for index in range(len(draft.headers))
    }
    return {f"#{index + 1}": said for index, said in wanted.items() if said != usual.get(index, "")}


def _read_as(field: str, rank: int) -> str:
    return f"{field}:{rank}" if rank else str(field)


def _remember(prepared: PreparedList, chosen: dict[str, dict[str, str]]) -> None:
    """Keep the choice for the next list with these headers; a sheet without a header has nothing to know it by."""
    for mapping in prepared.mappings:
        columns = chosen.get(mapping.sheet)
        if not mapping.header_row:
            continue
        if columns:
            profiles.remember(database(), mapping.signature, columns, now=now(), by=user().id)
        else:
            profiles.forget(database(), mapping.signature)


# ---- what the page shows


def _page(
    waiting: Received,
    found: ListContent,
    stored: dict[str, SheetMapping],
    *,
    choice: Choice | None = None,
    refusal: Refusal | None = None,
) -> str:
    remembered = profiles.remembered(database()) if choice is None else None
    drafts = {
        sheet.name: draft
        for sheet, draft in unmapped.drafts(found, lists.column_words(), choice=choice, remembered=remembered)
    }
    mappings = {**drafts, **stored}
    sheets = [
        _sheet(place, sheet, mappings[sheet.name])
        for place, sheet in _placed(found)
        if sheet.name in mappings
    ]
    kept = waiting.file.mapping.get("refusal") if waiting.file.state is ListState.UNMAPPED else None
    words = refusal.words(language()) if refusal else (kept or {}).get(language(), "")
    return render_template(
        "lists_mapping.html",
        file=waiting.file,
        sheets=sheets,
        refusal=typography(words) if words and language() == "fr" else words,
        is_new=waiting.file.state is ListState.UNMAPPED,
        is_text=found.delimiter is not None,
        reading=found,
        encodings=[(name, list_words.ENCODINGS.get(name, name)) for name in ENCODINGS],
        delimiters=[(mark, gettext(list_words.SEPARATORS[mark])) for mark in DELIMITERS],
        w=list_words,
    )


def _sheet(place: int, sheet: Sheet, mapping: SheetMapping) -> SheetView:
    from openpyxl.utils import get_column_letter  # slow to import, and rarely needed

    rows = tuple(islice(sheet.rows_from(0), max(_LOOKED_AT, mapping.header_row + _PREVIEWED)))
    below = [row for row in rows if row.number > mapping.header_row and any(row.cells)]
    read = {column.index: _read_as(column.field, column.rank) for column in mapping.columns}
    width = max((len(row.cells) for row in rows), default=0)
    columns = []
    for index in range(max(width, len(mapping.headers))):
        header = " ".join(mapping.headers[index].split()) if index < len(mapping.headers) else ""
        values = (row.cells[index].strip() for row in below if index < len(row.cells))
        examples = tuple(dict.fromkeys(value for value in values if value))[:_EXAMPLES]
        if not header and not examples:
            continue
        why = None if index in read else mapping.why_left_out.get(index, LeftOut.UNKNOWN)
        columns.append(
            ColumnView(index, get_column_letter(index + 1), header, read.get(index, ""), why, examples)
        )
    previewed = [row for row in rows if row.number >= max(1, mapping.header_row - 2)][: _PREVIEWED + 3]
    return SheetView(
        place=place,
        sheet=sheet.name,
        header_row=mapping.header_row,
        header_rows=tuple((row.number, _row_words(row.cells)) for row in rows[:_HEADERS_OFFERED]),
        columns=tuple(columns),
        rows=tuple(
            (row.number, tuple(row.cells[c.index] if c.index < len(row.cells) else "" for c in columns))
            for row in previewed
        ),
        signature=mapping.signature,
        remembered=_who_chose(mapping) if mapping.is_remembered else "",
    )


def _row_words(cells: tuple[str, ...]) -> str:
    """A row as the list of header rows names it: its first texts."""
    said = " · ".join(" ".join(cell.split()) for cell in cells if cell.strip())
    return f"{said[:60]}…" if len(said) > 60 else said


def _who_chose(mapping: SheetMapping) -> str:
    known = profiles.profile(database(), mapping.signature)
    by = accounts.user(database(), known.made_by) if known is not None and known.made_by else None
    return gettext("un choix antérieur") if by is None else by.display_name
