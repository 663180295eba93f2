"""The bytes of a received list: kept beside it until they are not needed any more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.intake.models import ListBytes


def keep(session: Session, list_file_id: int, content: bytes) -> None:
    """Keep the bytes of a list, instead of any kept before."""
    forget(session, [list_file_id])
    session.add(ListBytes(list_file_id=list_file_id, content=content))
    session.flush()


def kept(session: Session, list_file_id: int) -> bytes | None:
    """The bytes of a list, None when they are not kept any more."""
    return session.scalar(select(ListBytes.content).where(ListBytes.list_file_id == list_file_id))


def forget(session: Session, list_file_ids: Collection[int]) -> None:
    """Forget the bytes of lists."""
    for part in in_parts(list_file_ids):
        session.execute(delete(ListBytes).where(ListBytes.list_file_id.in_(part)))
