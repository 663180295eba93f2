"""The enumerations of what follows a contact."""

from __future__ import annotations

from enum import StrEnum


class AppointmentState(StrEnum):
    """What became of an appointment."""

    PLANNED = "planned"
    KEPT = "kept"
    MISSED = "missed"
    CANCELLED = "cancelled"


class SolutionKind(StrEnum):
    """The kinds of solution that count as a positive exit."""

    SCHOOL = "school"
    APPRENTICESHIP = "apprenticeship"
    VOCATIONAL_TRAINING = "vocational_training"
    JOB = "job"
    CIVIC_SERVICE = "civic_service"
    E2C = "e2c"
    EPIDE = "epide"
    SMV = "smv"
    QUALIFICATION = "qualification"


class Evidence(StrEnum):
    """How well a solution is proved, from weakest to strongest."""

    DECLARED = "declared"
    CONFIRMED = "confirmed"
    DOCUMENT = "document"
