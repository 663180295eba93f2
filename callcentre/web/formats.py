"""How numbers, dates, hours, durations and phone numbers are written, in French and in English.

Each function is a template filter of the same name. Instants are aware; they are shown in the
programme's zone unless a zone is given (the young person's, when it differs).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import current_app, has_app_context
from jinja2 import Environment

from callcentre import phone as phones
from callcentre.web.i18n import gettext, language, ngettext, typography

NOTHING = "–"
_DEFAULT_ZONE = "Europe/Paris"


def number(value: int | float | None, decimals: int = 0) -> str:
    """Return a number with its thousands apart: 1 840; a dash for None."""
    if value is None:
        return NOTHING
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(value, format=pattern, locale=language())


def percent(part: int, whole: int | None = None, decimals: int = 0) -> str:
    """Return `part` of `whole` as a percentage: 46 %; a dash when the whole is zero."""
    if not whole:
        return NOTHING
    text = number(100 * part / whole, decimals)
    return f"{text}\N{NARROW NO-BREAK SPACE}%" if language() == "fr" else f"{text}%"


def hour(instant: datetime | None, zone: str | None = None) -> str:
    """Return the hour of an instant: 9 h 05 in French, 09:05 in English."""
    if instant is None:
        return NOTHING
    local = in_zone(instant, zone)
    return (
        f"{local.hour}\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}{local:%M}"
        if language() == "fr"
        else f"{local:%H:%M}"
    )


def day(value: date | datetime | None, zone: str | None = None) -> str:
    """Return a date in figures: 23/11/2026."""
    return NOTHING if value is None else f"{_day(value, zone):%d/%m/%Y}"


def day_long(value: date | datetime | None, zone: str | None = None) -> str:
    """Return a date in words: lundi 23 novembre."""
    if value is None:
        return NOTHING
    text = format_date(_day(value, zone), "EEEE d MMMM", locale=language())
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def day_short(value: date | datetime | None, zone: str | None = None) -> str:
    """Return a date in few letters: lun. 23 nov."""
    if value is None:
        return NOTHING
    return format_date(_day(value, zone), "EEE d MMM", locale=language()).replace(" ", "\N{NO-BREAK SPACE}")


def moment(instant: datetime | None, zone: str | None = None) -> str:
    """Return the day and hour of an instant: lun. 23 nov. à 9 h 05."""
    if instant is None:
        return NOTHING
    return gettext("%(day)s à %(hour)s", day=day_short(instant, zone), hour=hour(instant, zone))


def when(instant: datetime | None, now: datetime, zone: str | None = None) -> str:
    """Return an instant as one says it now: aujourd’hui à 14 h 30, demain à 10 h 00, else day and hour."""
    if instant is None:
        return NOTHING
    days = (in_zone(instant, zone).date() - in_zone(now, zone).date()).days
    words = {
        -1: gettext("hier à %(hour)s"),
        0: gettext("aujourd’hui à %(hour)s"),
        1: gettext("demain à %(hour)s"),
    }
    return words[days] % {"hour": hour(instant, zone)} if days in words else moment(instant, zone)


def duration(value: timedelta | int | float | None) -> str:
    """Return a length of time (seconds or timedelta) in its two largest units: 3 min 20 s, 2 j 4 h."""
    if value is None:
        return NOTHING
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        text = gettext("%(days)s j %(hours)s h", days=days, hours=hours % 24)
    elif hours:
        text = gettext("%(hours)s h %(minutes)s", hours=hours, minutes=f"{minutes % 60:02}")
    elif minutes:
        text = gettext("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=f"{seconds % 60:02}")
    else:
        text = gettext("%(seconds)s s", seconds=seconds)
    return sign + text.replace(" ", "\N{NO-BREAK SPACE}")


def age(years: int | None) -> str:
    """Return an age: 17 ans; a dash when it is not known."""
    return NOTHING if years is None else typography(ngettext("%(n)s an", "%(n)s ans", years))


def phone(number: str | None) -> str:
    """Return a phone number in pairs that do not break over two lines: 06 39 98 12 34."""
    return NOTHING if not number else phones.display(number).replace(" ", "\N{NO-BREAK SPACE}")


def device(user_agent: str) -> str:
    """Return the browser and system of a device as a person names them: Firefox sur Windows."""
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
    )
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    browser = next((name for sign, name in browsers if sign in user_agent), "")
    system = next((name for sign, name in (*systems, ("Linux", "Linux")) if sign in user_agent), "")
    if browser and system:
        return gettext("%(browser)s sur %(system)s", browser=browser, system=system)
    return browser or system or gettext("Appareil inconnu")


def iso(instant: datetime | None) -> str:
    """Return an instant for a machine, for the `datetime` attribute of `<time>`."""
    return "" if instant is None else instant.isoformat(timespec="seconds")


def in_zone(instant: datetime, zone: str | None = None) -> datetime:
    """Return an instant in a zone, else in that of the operation."""
    return instant.astimezone(ZoneInfo(zone or _operation_zone()))


def install(environment: Environment) -> None:
    """Register every format as a filter."""
    simple = (number, percent, age, phone, device, duration, iso, typography)
    for function in (*simple, hour, day, day_long, day_short, moment, when):
        environment.filters[function.__name__] = function


def _day(value: date | datetime, zone: str | None) -> date:
    return in_zone(value, zone).date() if isinstance(value, datetime) else value


def _operation_zone() -> str:
    return str(current_app.config.get("ZONE", _DEFAULT_ZONE)) if has_app_context() else _DEFAULT_ZONE
