"""Why nothing was simulated."""

from __future__ import annotations

from callcentre.errors import CallCentreError


class CannotSimulate(CallCentreError):
    """Nothing was simulated; the message says why and what to do."""

    code = "cannot_simulate"


class Cancelled(CallCentreError):
    """Somebody stopped the simulation on its way."""

    code = "cancelled"
