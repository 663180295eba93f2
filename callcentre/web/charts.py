"""Charts as SVG written here: colours come from classes, so one drawing serves light, dark, forced colours and print.

Every chart has a title and a description that says its finding in a sentence, prints its values, and stands
above a table that holds the same figures. Nothing inline but geometry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from markupsafe import Markup

from callcentre.web.formats import day_short, number, percent

WIDTH = 760

ENDS = 196
"""Room at the right of a curve for the labels of its lines."""

LETTER = 8
"""Room for a letter of a label: a little more than the widest of our fonts takes on average."""

_Scale = Callable[[float], float]
_DayScale = Callable[[date], float]


@dataclass(frozen=True)
class Bar:
    """A stage: its count against its target; `to_date` is where it should be now."""

    label: str
    value: int
    target: int
    to_date: int
    href: str = ""


@dataclass(frozen=True)
class Share:
    """A territory: claims served, its share of them, and people ready."""

    label: str
    served: int
    share: float


@dataclass(frozen=True)
class Band:
    """Where a curve may end: the interval and its middle, on a day."""

    day: date
    low: int
    middle: int
    high: int


@dataclass(frozen=True)
class Point:
    """A curve's value at the end of a day."""

    day: date
    value: int


def funnel(name: str, *, title: str, description: str, bars: Sequence[Bar], to_date_label: str) -> Markup:
    """Bars of the stages on one scale, with a mark where each should be today."""
    left, right, row = 140, 210, 44
    room = WIDTH - left - right
    most = max([1, *(max(bar.value, bar.target, bar.to_date) for bar in bars)])
    parts: list[Markup] = []
    for position, bar in enumerate(bars):
        y = position * row + 8
        width, goal, mark = (_round(room * value / most) for value in (bar.value, bar.target, bar.to_date))
        parts += [
            _text(left - 12, y + 18, bar.label, anchor="end", css="label"),
            _rect(left, y, goal, 26, "track"),
            _rect(left, y, width, 26, f"bar step-{position}"),
            *_mark(left + mark, y - 5, y + 31),
            _text(left + max(width, goal, mark) + 10, y + 18, _of(bar.value, bar.target), css="value"),
        ]
    height = len(bars) * row + 26
    parts += [
        _line(left, height - 11, left + 22, height - 11, "target"),
        _text(left + 30, height - 6, to_date_label),
    ]
    return _svg(name, title, description, height, parts)


def balance(name: str, *, title: str, description: str, shares: Sequence[Share], share_label: str) -> Markup:
    """Bars of claims served by territory, with a mark at each one's share."""
    left, right, row = 190, 90, 26
    room = WIDTH - left - right
    most = max([1.0, *(max(one.served, one.share) for one in shares)])
    parts: list[Markup] = []
    for position, one in enumerate(shares):
        y = position * row + 4
        width, mark = _round(room * one.served / most), _round(room * one.share / most)
        parts += [
            _text(left - 10, y + 13, one.label, anchor="end", css="label"),
            _rect(left, y, room, 16, "track"),
            _rect(left, y, width, 16, "bar"),
            *_mark(left + mark, y - 3, y + 19),
            _text(left + room + 10, y + 13, f"{number(one.served)} / {number(one.share, 1)}", css="value"),
        ]
    height = len(shares) * row + 26
    parts += [
        _line(left, height - 11, left + 22, height - 11, "target"),
        _text(left + 30, height - 6, share_label),
    ]
    return _svg(name, title, description, height, parts)


def percentages(
    name: str, *, title: str, description: str, shares: Sequence[Share], share_label: str
) -> Markup:
    """Bars of percentages of one scale to 100, with a mark at each one's goal (`share`)."""
    left, right, row = 10 + max([180, *(LETTER * len(one.label) for one in shares)]), 90, 28
    room = WIDTH - left - right
    parts: list[Markup] = []
    for position, one in enumerate(shares):
        y = position * row + 4
        width, mark = _round(room * one.served / 100), _round(room * one.share / 100)
        parts += [
            _text(left - 10, y + 13, one.label, anchor="end", css="label"),
            _rect(left, y, room, 16, "track"),
            _rect(left, y, width, 16, "bar"),
            *_mark(left + mark, y - 3, y + 19),
            _text(left + room + 10, y + 13, percent(one.served, 100), css="value"),
        ]
    height = len(shares) * row + 26
    parts += [
        _line(left, height - 11, left + 22, height - 11, "target"),
        _text(left + 30, height - 6, share_label),
    ]
    return _svg(name, title, description, height, parts)


def curve(
    name: str,
    *,
    title: str,
    description: str,
    points: Sequence[Point],
    goal: Sequence[Point],
    band: Band | None,
    labels: tuple[str, str, str],
) -> Markup:
    """A count over the period against its target line, with the forecast's interval as a band.

    `goal`: the target to date on some days, first and last day included. `labels`: the curve, the target, the
    forecast.
    """
    left, right, top, bottom, height = 56, ENDS, 14, 30, 300
    first, last = goal[0].day, goal[-1].day
    most = _round_up(max([4, goal[-1].value, *(p.value for p in points), *([band.high] if band else [])]))

    def x(day: date) -> float:
        return _round(left + (WIDTH - left - right) * (day - first).days / max(1, (last - first).days))

    def y(value: float) -> float:
        return _round(height - bottom - (height - top - bottom) * value / most)

    parts = _grid(most, y, left) + _months(first, last, x, height - bottom)
    if band and points:
        end, last_point = x(band.day), points[-1]
        start = (x(last_point.day), y(last_point.value))
        parts += [
            _polygon([start, (end, y(band.high)), (end, y(band.low))], "band"),
            _line(*start, end, y(band.middle), "forecast"),
        ]
    parts.append(_polyline([(x(p.day), y(p.value)) for p in goal], "goal"))
    if points:
        parts.append(_polyline([(x(p.day), y(p.value)) for p in points], "curve"))
        parts.append(_dot(x(points[-1].day), y(points[-1].value)))
    parts += _ends(points, goal, band, labels, y)
    return _svg(name, title, description, height, parts)


def columns(name: str, *, title: str, description: str, weeks: Sequence[Point], needed: int | None) -> Markup:
    """A column for each week, its value above it; a line where the week should be."""
    height, bottom, left = 190, 40, 10
    most = max([1, needed or 0, *(week.value for week in weeks)])
    step = min(46.0, (WIDTH - 2 * left) / max(1, len(weeks)))
    parts: list[Markup] = []
    for position, week in enumerate(weeks):
        tall = (height - bottom - 24) * week.value / most
        x, y = left + position * step, height - bottom - tall
        parts.append(_rect(_round(x + 3), _round(y), _round(step - 6), _round(tall), "bar"))
        if step >= 20:
            parts.append(
                _text(_round(x + step / 2), _round(y - 5), number(week.value), anchor="middle", css="value")
            )
        if position % ceil(66 / step) == 0:
            parts.append(
                _text(_round(x + 3), height - bottom + 18, day_short(week.day).split("\u00a0", 1)[-1])
            )
    if needed:
        y = _round(height - bottom - (height - bottom - 24) * needed / most)
        parts.append(_line(left, y, WIDTH - left, y, "target"))
    parts.append(_line(left, height - bottom, WIDTH - left, height - bottom, "axis"))
    return _svg(name, title, description, height, parts)


def _ends(
    points: Sequence[Point],
    goal: Sequence[Point],
    band: Band | None,
    labels: tuple[str, str, str],
    y: _Scale,
) -> list[Markup]:
    """Labels at the ends of the lines instead of a legend, kept apart from one another."""
    now, target, forecast = labels
    wanted = [(y(goal[-1].value), f"◆ {target} {number(goal[-1].value)}", "goal-text")]
    if band:
        wanted.append((y(band.middle), f"▲ {forecast} {number(band.low)}–{number(band.high)}", "value"))
    if points:
        wanted.append((y(points[-1].value), f"● {now} {number(points[-1].value)}", "value"))
    wanted.sort()
    heights = _apart([height + 4 for height, _, _ in wanted], below=y(0))
    return [
        _text(WIDTH - ENDS + 8, _round(height), text, css=css)
        for height, (_, text, css) in zip(heights, wanted, strict=True)
    ]


def _apart(heights: Sequence[float], *, below: float, step: float = 17) -> list[float]:
    """The heights of labels, in order, moved so that none covers another and none leaves the frame."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + step) if placed else height)
    limit = below + step
    for position in reversed(range(len(placed))):
        limit = placed[position] = min(placed[position], limit - step)
    return placed


def _grid(most: int, y: _Scale, left: int) -> list[Markup]:
    lines: list[Markup] = []
    for part in range(5):
        value = most * part // 4
        lines += [
            _line(left, y(value), WIDTH - ENDS, y(value), "axis" if part == 0 else "grid"),
            _text(left - 8, y(value) + 4, number(value), anchor="end"),
        ]
    return lines


def _months(first: date, last: date, x: _DayScale, y: float) -> list[Markup]:
    marks: list[Markup] = []
    day = first.replace(day=1)
    while day <= last:
        if day >= first and day.month % 2 == 1:
            marks += [
                _line(x(day), y, x(day), y + 5, "axis"),
                _text(x(day), y + 20, _month(day), anchor="middle"),
            ]
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return marks


def _month(day: date) -> str:
    return day_short(day).split("\u00a0")[-1]


def _of(value: int, target: int) -> str:
    return f"● {number(value)} / {number(target)} ({percent(value, target)})"


def _round_up(value: int) -> int:
    """A round number at or above a value, that quarters well."""
    size = int(10 ** max(0, len(str(value)) - 1))
    return next(
        size * step // 10 for step in (10, 12, 16, 20, 24, 32, 40, 60, 80, 100) if size * step // 10 >= value
    )


def _round(value: float) -> float:
    return round(value, 1)


def _svg(name: str, title: str, description: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{n}-t {n}-d">'
        '<title id="{n}-t">{title}</title><desc id="{n}-d">{desc}</desc>{parts}</svg>'
    ).format(w=WIDTH, h=height, n=name, title=title, desc=description, parts=Markup("").join(parts))


def _rect(x: float, y: float, width: float, height: float, css: str) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        css, x, y, max(0, width), height
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(css, x1, y1, x2, y2)


def _mark(x: float, top: float, bottom: float) -> list[Markup]:
    """An upright mark with an edge of the ground's colour, seen on a bar as well as beside it."""
    return [_line(x, top, x, bottom, "edge"), _line(x, top, x, bottom, "target")]


def _polyline(points: Sequence[tuple[float, float]], css: str) -> Markup:
    return Markup('<polyline class="{}" points="{}"/>').format(css, _pairs(points))


def _polygon(points: Sequence[tuple[float, float]], css: str) -> Markup:
    return Markup('<polygon class="{}" points="{}"/>').format(css, _pairs(points))


def _dot(x: float, y: float) -> Markup:
    return Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(x, y)


def _text(x: float, y: float, text: str, *, anchor: str = "start", css: str = "note") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(css, x, y, anchor, text)


def _pairs(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
