"""Remembered mappings: how somebody named the columns of lists with certain headers, for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.intake.models import ListProfile


@dataclass(frozen=True, slots=True)
class Profile:
    """A remembered mapping: fields by "#position", who chose them and when."""

    signature: str
    columns: Mapping[str, str]
    made_by: int | None
    made_at: datetime


def remembered(session: Session) -> dict[str, Mapping[str, str]]:
    """Every remembered mapping by the signature of its headers, as `prepare` takes them."""
    rows = session.execute(select(ListProfile.signature, ListProfile.columns))
    return {signature: dict(columns) for signature, columns in rows}


def profile(session: Session, signature: str) -> Profile | None:
    """What is remembered of these headers."""
    row = session.scalar(select(ListProfile).where(ListProfile.signature == signature))
    return None if row is None else Profile(row.signature, dict(row.columns), row.made_by, row.made_at)


def remember(
    session: Session, signature: str, columns: Mapping[str, str], *, now: datetime, by: int | None = None
) -> None:
    """Keep how somebody named these columns, instead of what was remembered of them before."""
    row = session.scalar(select(ListProfile).where(ListProfile.signature == signature))
    if row is None:
        row = ListProfile(signature=signature)
        session.add(row)
    row.columns, row.made_by, row.made_at = dict(columns), by, now
    session.flush()


def forget(session: Session, signature: str) -> bool:
    """Forget what was remembered of these headers; return whether there was anything."""
    gone = session.scalar(
        delete(ListProfile).where(ListProfile.signature == signature).returning(ListProfile.id)
    )
    return gone is not None
