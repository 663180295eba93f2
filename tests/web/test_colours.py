"""Contrasts of the palette, computed in both themes: axe cannot judge text drawn in charts."""

from __future__ import annotations

import re

import pytest

from callcentre.web.assets import STATIC

TEXT, MARK = 4.5, 3.0

GROUNDS = ("bg", "surface", "sunken", "raised")

PAIRS = [
    *[(text, ground, TEXT) for text in ("text", "text-2", "accent", "attention") for ground in GROUNDS],
    ("text", "field", TEXT),
    ("text-2", "field", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("accent-strong", "raised", TEXT),
    ("on-accent-soft", "accent-soft", TEXT),
    ("on-accent-soft", "surface", TEXT),
    ("on-attention-soft", "attention-soft", TEXT),
    ("on-attention-fill", "attention-fill", TEXT),
    ("text", "accent-soft", TEXT),
    *[(f"on-heat-{n}", f"heat-{n}", TEXT) for n in range(6)],
    *[("line-strong", ground, MARK) for ground in ("bg", "surface", "sunken", "field")],
    *[(f"chart-{mark}", "surface", MARK) for mark in ("blue", "orange", "grey")],
    *[(f"chart-{mark}", "chart-track", MARK) for mark in ("blue", "orange", "grey")],
    ("attention-fill", "surface", MARK),
    ("attention-fill", "bg", MARK),
]


def _palette(theme: int) -> dict[str, str]:
    text = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", text)
    return {name: (light, dark)[theme] for name, light, dark in found}


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_their_ground(theme: int) -> None:
    palette = _palette(theme)
    weak = {
        f"{front} on {ground}": round(_contrast(palette[front], palette[ground]), 2)
        for front, ground, least in PAIRS
        if _contrast(palette[front], palette[ground]) < least
    }
    assert weak == {}


def test_pages_use_no_raw_colour_and_nothing_inline() -> None:
    for file in (STATIC / "css").glob("*.css"):
        if file.name not in {"tokens.css", "print.css"}:
            raw = re.findall(r"#[0-9a-f]{3,8}\b", re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL))
            assert raw == [], file.name
    for file in (STATIC.parent / "templates").rglob("*.html"):
        page = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page), file.name
