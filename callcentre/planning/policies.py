"""The retry policy of each programme: its hard rules, made once, and the numbers in force that choose among hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, select
from sqlalchemy.orm import Session

from callcentre.planning import fits
from callcentre.planning.models import RetryFit, RetryLearning, SlotLoad
from callcentre.programmes import Programme
from callcentre.retry import policy
from callcentre.retry.learnt import with_learning
from callcentre.retry.policy import Policy
from callcentre.retry.profiles import SLOTS, Fit, first_fit
from callcentre.retry.waiting import Load

_KNOWN: dict[int, tuple[Programme, Policy]] = {}
"""By identity of the programme, which is kept beside its policy so that the identity stays its own."""

_IN_FORCE = (
    select(RetryLearning.fit_id, SlotLoad.slot, SlotLoad.served_part)
    .select_from(RetryLearning)
    .outerjoin(SlotLoad, SlotLoad.programme_id == RetryLearning.programme_id)
    .where(RetryLearning.programme_id == bindparam("programme"))
)
_NUMBERS = select(RetryFit.numbers).where(RetryFit.id == bindparam("fit"))


@dataclass
class _Cached:
    """What was last in force for one programme of one database; a fit never changes once written."""

    fit_id: int | None = None
    fit: Fit | None = None
    load: Load = field(default_factory=Load.idle)
    policy: Policy | None = None
    programme: Programme | None = None


_CACHED: WeakKeyDictionary[Engine, dict[int, _Cached]] = WeakKeyDictionary()


def policy_of(programme: Programme) -> Policy:
    """The programme's hours and hard rules, with plain rotation; raises ConfigurationError naming key and remedy."""
    known = _KNOWN.get(id(programme))
    if known is None:
        known = _KNOWN[id(programme)] = (programme, policy.policy_of(programme))
    return known[1]


def play_by(programme: Programme, other: Policy) -> None:
    """Let a copy of a programme be played by another policy than its file's: a simulation's control arms."""
    _KNOWN[id(programme)] = (programme, other)


def policy_in_force(session: Session, programme: Programme, programme_id: int) -> Policy:
    """The same with the preference that is in force now: the learnt numbers and the load of each slot, or rotation."""
    if programme.constants is None or programme.constants.preference == "rotation":
        return policy_of(programme)
    chosen, load = _read(session, programme_id)
    fit_id = fits.used(programme, chosen)
    bound = session.get_bind()
    engine = bound.engine if isinstance(bound, Connection) else bound
    cached = _CACHED.setdefault(engine, {}).setdefault(programme_id, _Cached())
    if (
        cached.policy is not None
        and (cached.fit_id, cached.load) == (fit_id, load)
        and cached.programme is programme
    ):
        return cached.policy
    fit = cached.fit if cached.fit_id == fit_id and cached.programme is programme else None
    fit = fit or _fit(session, programme, fit_id)
    made = with_learning(policy_of(programme), fit, programme.constants, load)
    cached.fit_id, cached.fit, cached.load = fit_id, fit, load
    cached.policy, cached.programme = made, programme
    return made


def _read(session: Session, programme_id: int) -> tuple[int | None, Load]:
    fit_id, served = None, [1.0] * len(SLOTS)
    for row in session.execute(_IN_FORCE, {"programme": programme_id}):
        fit_id = row.fit_id
        if row.slot is not None:
            served[SLOTS.index(row.slot)] = row.served_part
    return fit_id, Load(tuple(served))


def _fit(session: Session, programme: Programme, fit_id: int | None) -> Fit:
    numbers = None if fit_id is None else session.scalar(_NUMBERS, {"fit": fit_id})
    if numbers is not None:
        return Fit.from_json(numbers)
    assert programme.constants is not None
    return first_fit(programme.constants)
