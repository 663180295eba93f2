"""The last gate before the provider: which numbers a request may ever go to, whatever asked for it."""

from __future__ import annotations

import re
from collections.abc import Callable

from callcentre import phone

FICTITIOUS = re.compile(r"\+33(19900|26191|35301|46571|53649|63998)\d{4}")
"""Ranges that ARCEP keeps for fiction: they never ring anywhere."""
TRIAL = re.compile(r"\+1500555\d{4}")
"""The provider's own numbers for trying things."""


def gate(*, live: bool, allowed_numbers: str, allowed_countries: str) -> Callable[[str], bool]:
    """Return the test that every number (E.164) passes before a request leaves.

    Live: a number that may be called, in a country that is allowed; premium, short and special numbers never. Else
    only fictitious numbers, the provider's trial numbers, and those on the list.
    """
    listed = {number.strip() for number in allowed_numbers.split(",") if number.strip()}
    countries = tuple(f"+{code.strip()}" for code in allowed_countries.split(",") if code.strip())

    def may_reach(number: str) -> bool:
        if number in listed:
            return True
        if not live:
            return bool(FICTITIOUS.fullmatch(number) or TRIAL.fullmatch(number))
        return number.startswith(countries) and phone.parse(number).callable

    return may_reach
