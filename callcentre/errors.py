"""Every error that this program raises on purpose.

A message says what happened, what was kept and what to do; it carries no personal data, since it may reach a log.
Expected outcomes (a rejected row, a lost race, nothing to serve) are values, not exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self


class Sentence(str):
    """French words with named gaps such as `%(minutes)s`; `values` fill them, after a translation if there is one."""

    values: Mapping[str, object]

    def __new__(cls, words: str, values: Mapping[str, object]) -> Self:
        """Return the words with what fills their gaps."""
        sentence = super().__new__(cls, words)
        sentence.values = values
        return sentence

    @property
    def filled(self) -> str:
        """The sentence in French."""
        return self % self.values if self.values else str(self)


class CallCentreError(Exception):
    """Base of every deliberate error; `code` is stable and goes to API answers."""

    code = "error"
    status = 400


class ConfigurationError(CallCentreError):
    """A setting or a programme file is wrong: names the file, the key and the remedy."""

    code = "configuration"
    status = 500

    def __init__(self, *, file: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {key}: {problem} {remedy}")
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy


class InvalidInput(CallCentreError):
    """What was sent cannot be used as it is; `field` names the input, `message` what to change."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, *, field: str | None = None, **values: object) -> None:
        self.message, self.field = Sentence(message, values), field
        super().__init__(self.message.filled)


class NotFound(CallCentreError):
    """The thing that was asked for does not exist, or not for this person."""

    code = "not_found"
    status = 404


class NotAllowed(CallCentreError):
    """A rule of the operation forbids it; `reason` is a code of `callcentre.retry.reasons` or of the verb."""

    code = "not_allowed"
    status = 409

    def __init__(self, message: str, *, reason: str = "not_allowed", **values: object) -> None:
        self.message, self.reason = Sentence(message, values), reason
        super().__init__(self.message.filled)


class LeaseLost(CallCentreError):
    """The lease has been superseded by another officer's; what was sent was kept as a conflict."""

    code = "lease_lost"
    status = 409

    def __init__(self, message: str, *, kept: bool) -> None:
        super().__init__(message)
        self.message, self.kept = message, kept


class IdempotencyMismatch(CallCentreError):
    """An idempotency key was used again with another body."""

    code = "idempotency_mismatch"
    status = 422
    field = "Idempotency-Key"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unavailable(CallCentreError):
    """Somebody else's service, such as the telephone provider's, did not answer; trying again may help."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StorageFull(CallCentreError):
    """The disk, or the limit set for the database, is full; what had been committed is kept."""

    code = "storage_full"
    status = 507
