"""The retry policy of each programme, made once: it caches the calendar."""

from __future__ import annotations

from callcentre.programmes import Programme
from callcentre.retry import policy
from callcentre.retry.policy import Policy

_KNOWN: dict[int, tuple[Programme, Policy]] = {}
"""By identity of the programme, which is kept beside its policy so that the identity stays its own."""


def policy_of(programme: Programme) -> Policy:
    """Return the programme's policy; raises ConfigurationError naming key and remedy."""
    known = _KNOWN.get(id(programme))
    if known is None:
        known = _KNOWN[id(programme)] = (programme, policy.policy_of(programme))
    return known[1]
