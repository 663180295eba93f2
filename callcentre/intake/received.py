"""A list that was received and not imported yet: recognised, read again, or dropped; who a held row may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.directory import queries as directory
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.intake import queries
from callcentre.intake.candidates import scope_of
from callcentre.intake.deciding import load_known
from callcentre.intake.keeping import forget, kept
from callcentre.intake.kinds import ListState
from callcentre.intake.mapping import ColumnWords
from callcentre.intake.matching import Known
from callcentre.intake.models import ListFile, ListRow
from callcentre.intake.preparing import PreparedList, prepare, prepare_again, read_again, sheet_mapping
from callcentre.intake.queries import ListFileView
from callcentre.intake.reader import Refusal
from callcentre.people.candidates import Candidate
from callcentre.programmes import Programme

_WAITING = (ListState.UNMAPPED, ListState.CHECKED)


@dataclass(frozen=True)
class Received:
    """A list file that waits for its import, with its bytes."""

    file: ListFileView
    content: bytes


def received(session: Session, list_file_id: int) -> Received:
    """The list with its bytes; raises NotFound, or NotAllowed once its import has begun."""
    file = queries.list_file(session, list_file_id)
    content = kept(session, list_file_id)
    if file.state not in _WAITING or content is None:
        raise _begun()
    return Received(file, content)


def read_received(of: Received, programme: Programme) -> PreparedList:
    """The list read again as it was mapped."""
    prepared = prepare_again(
        of.content,
        of.file.name,
        programme=programme,
        list_date=of.file.list_date,
        mapping=of.file.mapping,
    )
    if isinstance(prepared, Refusal):
        raise InvalidInput(prepared.fr, field="file")
    return prepared


def map_otherwise(
    of: Received, chosen: Mapping[str, str], *, programme: Programme, words: ColumnWords
) -> PreparedList | Refusal:
    """The list mapped anew, some headers as a person chose; `importing.receive` then keeps that mapping."""
    return prepare(
        of.content,
        of.file.name,
        programme=programme,
        list_date=of.file.list_date,
        words=words,
        chosen=chosen,
    )


def known_list(session: Session, prepared: PreparedList, *, programme: Programme) -> ListFileView | None:
    """The same file, for the same programme and date, if it was received before."""
    programme_id = directory.programme_id(session, programme.code)
    found = session.scalar(
        select(ListFile.id).where(
            ListFile.programme_id == programme_id,
            ListFile.digest == prepared.digest,
            ListFile.list_date == prepared.scope.list_date,
        )
    )
    return None if found is None else queries.list_file(session, found)


def earlier_imports(session: Session, list_file_id: int) -> tuple[ListFileView, ...]:
    """The imports of exactly this file under another date, oldest first."""
    this = select(ListFile.digest, ListFile.programme_id).where(ListFile.id == list_file_id).subquery()
    ids = session.scalars(
        select(ListFile.id)
        .join(this, (this.c.digest == ListFile.digest) & (this.c.programme_id == ListFile.programme_id))
        .where(ListFile.id != list_file_id, ListFile.state != ListState.CHECKED)
        .order_by(ListFile.uploaded_at, ListFile.id)
    ).all()
    return tuple(queries.list_file(session, found) for found in ids)


def drop(session: Session, list_file_id: int) -> None:
    """Forget a list that was never imported, with its bytes; raises NotAllowed once its import has begun."""
    waits = session.scalar(
        select(ListFile.id).where(ListFile.id == list_file_id, ListFile.state.in_(_WAITING)).with_for_update()
    )
    if waits is None:
        queries.list_file(session, list_file_id)
        raise _begun()
    forget(session, [list_file_id])
    session.execute(delete(ListFile).where(ListFile.id == list_file_id))


def possible_people(session: Session, row_id: int, *, programme: Programme) -> tuple[Known, ...]:
    """The known people whom a quarantined row may speak of, by identifier or by name and birth date."""
    stored = session.get(ListRow, row_id)
    if stored is None:
        raise NotFound("Cette ligne n’existe pas.")
    file = queries.list_file(session, stored.list_file_id)
    mapping = next(s for s in file.mapping["sheets"] if s["sheet"] == stored.sheet)
    cells = tuple((stored.cells or {}).get("values", ()))
    scope = scope_of(programme, file.list_date)
    row = read_again(stored.sheet, stored.row_number, cells, sheet_mapping(mapping), scope)
    return tuple(load_known(session, [row.outcome])) if isinstance(row.outcome, Candidate) else ()


def _begun() -> NotAllowed:
    return NotAllowed("L’import de cette liste a déjà commencé : rien n’a été changé.", reason="import_begun")
