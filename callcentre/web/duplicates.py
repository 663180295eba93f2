"""Possible duplicates: two records side by side, made one, kept apart, or taken apart again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.desk import merging, pairs
from callcentre.desk.pairs import PairView, RecordView
from callcentre.errors import InvalidInput, NotAllowed
from callcentre.intake import duplicates as proposals
from callcentre.people.kinds import Likeness, NumberOwner, PairState
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import day, phone
from callcentre.web.forms import whole_number
from callcentre.web.i18n import gettext, mark
from callcentre.web.list_rows import page_at
from callcentre.web.transaction import database

blueprint = Blueprint("duplicates", __name__, url_prefix="/lists/duplicates")

_PAIR = "/<int:pair_id>"
_MERGES_SHOWN = 50

REASONS = {
    Likeness.SAME_NAME_OTHER_INE: mark("même nom et même date de naissance, INE différent ou absent"),
    Likeness.ALIKE_NAME: mark("noms proches, même date de naissance"),
    Likeness.NAMES_SWAPPED: mark("nom et prénom intervertis, même date de naissance"),
    Likeness.OTHER_BIRTH_DATE: mark("même nom et même numéro, dates de naissance à un chiffre près"),
    Likeness.CHOSEN: mark("rapprochées à la main"),
}
_OWNERS = {
    NumberOwner.YOUNG_PERSON: mark("jeune"),
    NumberOwner.GUARDIAN: mark("responsable"),
    NumberOwner.OTHER: mark("autre"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What both records say of one thing."""

    label: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether both say something, and not the same."""
        return bool(self.one and self.other and self.one.casefold() != self.other.casefold())


@blueprint.get("")
def index() -> str:
    """Show the pairs that wait, and the merges that stand."""
    session = database()
    page = page_at(pairs.count_open(session), whole_number(request.args.get("page")))
    found = pairs.open_pairs(session, limit=50, offset=page.first)
    return render_template(
        "duplicates.html",
        page=page.holding(found),
        reasons=REASONS,
        merges=pairs.merges(session, limit=_MERGES_SHOWN),
    )


@blueprint.get(_PAIR)
def show(pair_id: int) -> str:
    """Show two records side by side."""
    found = pairs.pair(database(), pair_id)
    return render_template(
        "duplicates_pair.html",
        pair=found,
        fields=_fields(found.one, found.other),
        reason=REASONS[found.reason],
        keeps=_better(found),
        merge_id=pairs.merge_between(database(), found.one.id, found.other.id),
        PairState=PairState,
    )


@blueprint.post(f"{_PAIR}/merge")
def merge(pair_id: int) -> BaseResponse:
    """Make the two records one, under the one that was chosen."""
    session = database()
    found = pairs.pair(session, pair_id)
    kept = whole_number(request.form.get("keep"))
    ids = {found.one.id, found.other.id}
    if kept not in ids or kept is None:
        raise InvalidInput("Choisissez la fiche à garder.", field="keep")
    (gone,) = ids - {kept}
    merging.merge(session, runtime().programmes, kept_id=kept, gone_id=gone, by=user().id, now=now())
    flash(gettext("Fiches réunies. La fusion peut être défaite ici à tout moment."))
    return redirect("/lists/duplicates#merges", 303)


@blueprint.post(f"{_PAIR}/apart")
def keep_apart(pair_id: int) -> BaseResponse:
    """Say that they are two people."""
    session = database()
    found = pairs.pair(session, pair_id)
    if found.state is PairState.MERGED:
        raise NotAllowed("Ces fiches sont réunies : défaites d’abord la fusion.", reason="merged")
    merging.keep_apart(session, found.one.id, found.other.id, by=user().id, now=now())
    flash(gettext("Noté : ce sont deux personnes. Elles ne seront plus proposées."))
    return redirect("/lists/duplicates", 303)


@blueprint.post("/merges/<int:merge_id>/undo")
def undo(merge_id: int) -> BaseResponse:
    """Take a merge back."""
    merging.unmerge(database(), runtime().programmes, merge_id, by=user().id, now=now())
    flash(gettext("Fusion défaite : chaque fiche a retrouvé ce qui était à elle."))
    return redirect("/lists/duplicates", 303)


@blueprint.post("/propose")
def propose() -> BaseResponse:
    """Put two records that somebody compares by hand into the queue, and open them there."""
    one, other = (whole_number(request.form.get(name)) for name in ("one", "other"))
    if one is None or other is None or one == other:
        raise InvalidInput("Choisissez deux fiches différentes.", field="other")
    pair_id = proposals.propose_by_hand(database(), one, other, now=now())
    return redirect(f"/lists/duplicates/{pair_id}", 303)


@blueprint.errorhandler(NotAllowed)
def refused(error: NotAllowed) -> BaseResponse:
    """What cannot be done now: say so in the queue."""
    flash(gettext(error.message), "attention")
    return redirect("/lists/duplicates", 303)


def _better(pair: PairView) -> int:
    """The record that is proposed to stay: the one that was called more, else the older one."""
    ordered = sorted((pair.one, pair.other), key=lambda record: (-record.calls, record.id))
    return ordered[0].id


def _fields(one: RecordView, other: RecordView) -> list[Field]:
    return [
        Field(label, mine, theirs)
        for (label, mine), (_, theirs) in zip(_said(one), _said(other), strict=True)
    ]


def _said(record: RecordView) -> list[tuple[str, str]]:
    numbers = [f"{phone(e164)} ({gettext(_OWNERS[NumberOwner(owner)])})" for e164, owner in record.numbers]
    return [
        (gettext("Nom"), " ".join(filter(None, (record.family_name, record.usual_name)))),
        (gettext("Prénom"), record.first_name),
        (gettext("Naissance"), day(record.birth_date)),
        ("INE", ", ".join(record.ines)),
        (gettext("Numéros"), ", ".join(numbers)),
        (gettext("Courriel"), record.email or ""),
        (gettext("Adresse"), record.address),
        (gettext("Responsables"), ", ".join(record.guardians)),
        (gettext("Établissement"), record.school or ""),
        (gettext("Classe"), record.class_label or ""),
        (gettext("Sortie"), day(record.exit_date) if record.exit_date else ""),
        (gettext("Plateforme"), record.territory or ""),
        (gettext("Appels"), str(record.calls)),
        (gettext("Opposition"), gettext("oui") if record.is_opposed else ""),
    ]
