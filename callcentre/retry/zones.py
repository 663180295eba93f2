"""The time zone in which a young person lives, from the postal code."""

from __future__ import annotations

from zoneinfo import ZoneInfo

METROPOLE = ZoneInfo("Europe/Paris")

_OVERSEAS = {
    "97133": "America/St_Barthelemy",
    "97150": "America/Marigot",
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "984": "Indian/Kerguelen",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}
HOLIDAY_SUBDIVISIONS = {
    "America/Guadeloupe": "971",
    "America/Martinique": "972",
    "America/Cayenne": "973",
    "Indian/Reunion": "974",
    "Indian/Mayotte": "976",
    "America/Miquelon": "PM",
    "America/St_Barthelemy": "BL",
    "America/Marigot": "MF",
    "Indian/Kerguelen": "TF",
    "Pacific/Wallis": "WF",
    "Pacific/Tahiti": "PF",
    "Pacific/Noumea": "NC",
}
"""Parts of France with public holidays besides the eleven, by zone, as the `holidays` package names them."""


def zone_of(postal_code: str | None, programme_zone: ZoneInfo) -> ZoneInfo:
    """The zone of a French postal code, else the programme's; a dialling prefix never decides."""
    code = (postal_code or "").replace(" ", "")
    if len(code) != 5 or not code.isdecimal():
        return programme_zone
    for length in (5, 3):
        if code[:length] in _OVERSEAS:
            return ZoneInfo(_OVERSEAS[code[:length]])
    return METROPOLE if "01" <= code[:2] <= "95" else programme_zone
