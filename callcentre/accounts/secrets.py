"""Random tokens and passwords: how they are made, kept and compared."""

from __future__ import annotations

import hashlib
import secrets
import string
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callcentre.errors import InvalidInput

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's argon2id parameters: 19 MiB, two passes, one lane."""

_TWO_AT_ONCE = BoundedSemaphore(2)
"""A hash costs memory and a core for tens of milliseconds; a flood of sign-ins must not starve the calls."""

_NOBODY = _HASHER.hash("nobody's password, verified so that an unknown login takes as long as a known one")

_FAMILIAR = ("password", "motdepasse", "azerty", "qwerty", "123456", "callcentre", "decrochage")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    with _TWO_AT_ONCE:
        return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one that was hashed; as slow without a hash as with one."""
    with _TWO_AT_ONCE:
        try:
            _HASHER.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def check_password_rules(password: str, *, login: str = "") -> None:
    """Raise `InvalidInput` unless a new password is long and mixed enough (CNIL 2022-100: about 80 bits)."""
    classes = sum(
        any(test(character) for character in password)
        for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    )
    lowered = password.casefold()
    if len(password) > 200:
        raise InvalidInput("Choisissez un mot de passe de 200 caractères au plus.", field="password")
    if not ((len(password) >= 14 and classes >= 3) or (len(password) >= 12 and classes == 4)):
        raise InvalidInput(
            "Choisissez au moins 14 caractères avec trois sortes parmi minuscules, majuscules, chiffres et"
            " signes, ou au moins 12 caractères avec les quatre.",
            field="password",
        )
    if any(word in lowered for word in _FAMILIAR) or (len(login) >= 4 and login.casefold() in lowered):
        raise InvalidInput(
            "Ce mot de passe contient l’identifiant ou un mot trop courant ; choisissez-en un autre.",
            field="password",
        )


def new_password() -> str:
    """Return a temporary password that obeys the rules, without look-alike characters, to be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    groups = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(4)]
    groups[0] = groups[0].capitalize()
    return "-".join([*groups, "".join(secrets.choice(string.digits[2:]) for _ in range(3))])


def new_token(prefix: str) -> str:
    """Return a random token of 256 bits; the prefix says what it opens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    """Return what the database keeps of a token; it is random, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
