"""The funnel as a report: targets to date, the week's pace, the forecast; by territory, officer and week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from callcentre.accounts import queries as accounts
from callcentre.directory import queries as directory
from callcentre.funnel import queries as funnel
from callcentre.funnel import targets
from callcentre.funnel.queries import Timeline
from callcentre.funnel.stages import ORDER, SIDE, Stage
from callcentre.funnel.targets import Forecast, Pace
from callcentre.people.names import fold
from callcentre.programmes import Programme
from callcentre.retry.policy import policy_of
from callcentre.retry.windows import local_midnight
from callcentre.supervision import figures

WEEK = timedelta(days=7)

TOLERANCE = 0.05
"""Part of the target to date by which a stage may be behind before it is pointed out."""


@dataclass(frozen=True)
class StageFigures:
    """A stage against its target over the period; `first_at` is None while nobody has entered it."""

    stage: Stage
    count: int
    target: int
    to_date: int
    today: int
    pace: Pace
    forecast: Forecast | None

    @property
    def gap(self) -> int:
        """People ahead (positive) or behind the target to date."""
        return self.count - self.to_date

    @property
    def is_behind(self) -> bool:
        """Whether the gap is large enough to be pointed out."""
        return -self.gap > TOLERANCE * self.to_date


@dataclass(frozen=True)
class Row:
    """The stages of a territory or of an officer; `id` None gathers what no officer recorded."""

    id: int | None
    label: str
    counts: Mapping[Stage, int]

    @property
    def total(self) -> int:
        """Entries of any stage; a row without any has nothing to show."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Week:
    """People who entered each stage in a week; `monday` is a date of the programme's zone."""

    monday: date
    counts: Mapping[Stage, int]


@dataclass(frozen=True)
class FunnelReport:
    """Everything that the funnel page and its exports show."""

    programme: str
    made_at: datetime
    today: date
    first_day: date
    last_day: date
    days: tuple[date, ...]
    """The working days of the period."""
    stages: tuple[StageFigures, ...]
    side: Mapping[Stage, int]
    territories: tuple[Row, ...]
    officers: tuple[Row, ...]
    weeks: tuple[Week, ...]

    @property
    def working_days(self) -> int:
        """How many working days the period has."""
        return len(self.days)

    @property
    def days_over(self) -> int:
        """How many of them are over."""
        return sum(day < self.today for day in self.days)

    def figures(self, stage: Stage) -> StageFigures:
        """The figures of one of the four stages."""
        return next(one for one in self.stages if one.stage is stage)

    def as_json(self) -> dict[str, Any]:
        """The report for a program."""
        return {
            "programme": self.programme,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "period": {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()},
            "working_days": {"in_all": self.working_days, "over": self.days_over},
            "stages": {one.stage.value: _stage_json(one) for one in self.stages},
            "side": {stage.value: count for stage, count in self.side.items()},
            "territories": [_row_json(row) for row in self.territories],
            "officers": [_row_json(row) for row in self.officers],
            "weeks": [
                {"monday": week.monday.isoformat(), "entered": _counts_json(week.counts)}
                for week in self.weeks
            ],
        }


def funnel_report(session: Session, programme: Programme, *, now: datetime) -> FunnelReport:
    """The funnel of a programme at `now`; a programme that the database does not know yet has nobody."""
    programme_id = directory.programme_id(session, programme.code) or 0
    today = now.astimezone(programme.tz).date()
    days = _working_days(programme)
    mondays = _mondays(programme, today)
    recent = targets.recent_days(days, today)
    marks = {
        local_midnight(day, programme.tz)
        for day in (*mondays, mondays[-1] + WEEK, today, _monday(today), *recent[:1])
    }
    timeline = funnel.timeline(session, programme_id, marks)
    return FunnelReport(
        programme=programme.code,
        made_at=now,
        today=today,
        first_day=programme.period.first_day,
        last_day=programme.period.last_day,
        days=days,
        stages=_stages(programme, timeline, days, today),
        side={stage: timeline.total(stage) for stage in SIDE},
        territories=_territories(session, programme_id),
        officers=_officers(session, programme_id),
        weeks=_weeks(programme, timeline, mondays),
    )


def _stages(
    programme: Programme, timeline: Timeline, days: tuple[date, ...], today: date
) -> tuple[StageFigures, ...]:
    midnight, monday = local_midnight(today, programme.tz), local_midnight(_monday(today), programme.tz)
    recent = targets.recent_days(days, today)
    found: list[StageFigures] = []
    ceiling = timeline.total(Stage.TO_CONTACT)
    for stage in ORDER:
        target, count = programme.stages[stage].target, timeline.total(stage)
        before_today = timeline.before(stage, midnight)
        forecast = None
        if stage is not Stage.TO_CONTACT and recent:
            start = local_midnight(recent[0], programme.tz)
            forecast = targets.forecast(
                before_today=before_today,
                now=count,
                recent=timeline.between(stage, start, midnight),
                days=days,
                today=today,
                ceiling=ceiling,
            )
        ceiling = forecast.high if forecast else ceiling
        before_week = timeline.before(stage, monday)
        found.append(
            StageFigures(
                stage=stage,
                count=count,
                target=target,
                # Lists arrive whole: the people to contact are not expected day by day.
                to_date=target if stage is Stage.TO_CONTACT else targets.target_to_date(target, days, today),
                today=count - before_today,
                pace=targets.pace(
                    target=target, before_week=before_week, done=count - before_week, days=days, today=today
                ),
                forecast=forecast,
            )
        )
    return tuple(found)


def _territories(session: Session, programme_id: int) -> tuple[Row, ...]:
    counts = figures.by_territory(session, programme_id)
    nobody = dict.fromkeys(Stage, 0)
    return tuple(
        Row(territory.id, territory.label, counts.get(territory.id, nobody))
        for territory in directory.territories(session, programme_id)
    )


def _officers(session: Session, programme_id: int) -> tuple[Row, ...]:
    counts = funnel.by_officer(session, programme_id)
    return tuple(
        Row(user.id, user.display_name, counts[user.id])
        for user in sorted(accounts.users(session), key=lambda user: (fold(user.display_name), user.id))
        if user.id in counts
    )


def _weeks(programme: Programme, timeline: Timeline, mondays: list[date]) -> tuple[Week, ...]:
    def entered(monday: date) -> dict[Stage, int]:
        start, end = (local_midnight(day, programme.tz) for day in (monday, monday + WEEK))
        return {stage: timeline.between(stage, start, end) for stage in Stage}

    return tuple(Week(monday, entered(monday)) for monday in mondays)


def _working_days(programme: Programme) -> tuple[date, ...]:
    hours = policy_of(programme).hours
    return targets.working_days(
        programme.period.first_day,
        programme.period.last_day,
        lambda day: bool(hours.blocks_on(day, programme.tz)),
    )


def _mondays(programme: Programme, today: date) -> list[date]:
    """The Mondays of the period's weeks up to now, at least one."""
    first = _monday(programme.period.first_day)
    last = max(first, _monday(min(today, programme.period.last_day)))
    return [first + WEEK * n for n in range((last - first).days // 7 + 1)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _stage_json(one: StageFigures) -> dict[str, Any]:
    return {
        "count": one.count,
        "target": one.target,
        "target_to_date": one.to_date,
        "gap": one.gap,
        "today": one.today,
        "week": asdict(one.pace),
        "forecast": None
        if one.forecast is None
        else asdict(one.forecast) | {"confidence": targets.CONFIDENCE, "method": targets.METHOD},
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {"id": row.id, "label": row.label, "counts": _counts_json(row.counts)}


def _counts_json(counts: Mapping[Stage, int]) -> dict[str, int]:
    return {stage.value: counts.get(stage, 0) for stage in Stage}
