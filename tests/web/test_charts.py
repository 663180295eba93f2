"""Charts: figures printed, finding said, colours by class, geometry inside the frame."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.simulation.arms import Way
from callcentre.simulation.words import say
from callcentre.web import charts
from callcentre.web.assets import STATIC
from callcentre.web.charts import Band, Bar, Point, Share
from callcentre.web.i18n import LANGUAGES

FIRST, LAST = date(2026, 9, 1), date(2027, 8, 31)
SVG = "{http://www.w3.org/2000/svg}"
counts = st.integers(0, 200_000)


def _drawing(markup: str) -> ET.Element:
    return ET.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def _checked(markup: str) -> ET.Element:
    """The drawing, once sure that it is well formed, inside its frame, and says its finding."""
    root = _drawing(markup)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    assert root.attrib["role"] == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    for element in root.iter():
        assert not {"style", "fill", "stroke"} & set(element.attrib), "colours come from classes"
        for name, limit in (
            ("x", width),
            ("x1", width),
            ("x2", width),
            ("y", height),
            ("y1", height),
            ("y2", height),
        ):
            assert -6 <= float(element.attrib.get(name, 0)) <= limit + 6, element.attrib
        for pair in element.attrib.get("points", "").split():
            x, y = (float(part) for part in pair.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    return root


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=4))
def test_the_funnel_prints_every_value(rows: list[tuple[int, int, int]]) -> None:
    bars = [Bar(f"Étape {n}", value, target, to_date) for n, (value, target, to_date) in enumerate(rows)]
    root = _checked(
        charts.funnel(
            "f", title="Parcours", description="2 sur 3", bars=bars, to_date_label="attendu à ce jour"
        )
    )
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    for bar in bars:
        assert bar.label in texts
        assert any(re.sub(r"\D", "", text).startswith(str(bar.value)) for text in texts)


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 500)), min_size=1, max_size=30))
def test_the_balance_prints_served_and_share(rows: list[tuple[int, float]]) -> None:
    shares = [Share(f"PSAD {n}", served, share) for n, (served, share) in enumerate(rows)]
    _checked(charts.balance("b", title="Équilibre", description="0,4", shares=shares, share_label="part due"))


@given(st.lists(counts, max_size=52), st.integers(1, 100_000), st.tuples(counts, counts, counts))
def test_the_curve_holds_target_and_forecast(
    steps: list[int], target: int, ends: tuple[int, int, int]
) -> None:
    low, middle, high = sorted(ends)
    root = _checked(
        charts.curve(
            "c",
            title="Contactés",
            description="Entre 1 et 2",
            points=[Point(FIRST + timedelta(days=7 * n), value) for n, value in enumerate(sorted(steps))],
            goal=[Point(FIRST, 0), Point(LAST, target)],
            band=Band(LAST, low, middle, high),
            labels=("réalisé", "cible", "prévision"),
        )
    )
    heights = sorted(float(t.attrib["y"]) for t in root.iter(f"{SVG}text") if (t.text or "")[:1] in "●◆▲")
    assert all(below - above >= 16 for above, below in pairwise(heights))


@given(st.lists(counts, max_size=60), st.none() | counts)
def test_the_columns_have_one_bar_for_each_week(values: list[int], needed: int | None) -> None:
    weeks = [Point(FIRST + timedelta(days=7 * n), value) for n, value in enumerate(values)]
    root = _checked(charts.columns("w", title="Semaines", description="3", weeks=weeks, needed=needed))
    assert len(list(root.iter(f"{SVG}rect"))) == len(values)


def test_labels_are_escaped() -> None:
    markup = charts.balance(
        "b", title="<b>", description="&", shares=[Share("<script>", 1, 1.0)], share_label="'"
    )
    assert "<script>" not in markup
    _drawing(markup)


@pytest.mark.parametrize(
    ("rule", "token"),
    [
        (".chart .bar", "--chart-blue"),
        (".chart .curve", "--chart-blue"),
        (".chart .track", "--chart-track"),
        (".chart .target", "--chart-orange"),
        (".chart .edge", "--surface"),
        (".chart .label", "--text"),
        (".chart .value", "--text"),
        (".chart text", "--text-2"),
    ],
)
def test_marks_take_the_colours_whose_contrast_is_computed(rule: str, token: str) -> None:
    css = _css().split("@media", 1)[0]
    found = re.search(rf"{re.escape(rule)}[^{{}}]*{{([^}}]*)}}", css)
    assert found is not None
    assert f"var({token})" in found[1]


def test_forced_colours_redraw_every_mark() -> None:
    forced = _css().split("(forced-colors: active)", 1)[1]
    for name in ("text", "bar", "curve", "target", "goal", "track", "axis"):
        assert re.search(rf"\.chart \.?{name}\b", forced), name


def _css() -> str:
    return Path(STATIC / "css" / "supervision.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_name_of_a_policy_stands_inside_the_frame(language: str) -> None:
    names = [say(f"arm_{way.value}", language) for way in Way]
    shares = [Share(name, 50, 60.0) for name in names]
    root = _checked(charts.percentages("p", title="Part", description="", shares=shares, share_label=""))
    for label in root.findall(f"{SVG}text[@class='label']"):
        assert 7.5 * len(label.text or "") <= float(label.attrib["x"])
