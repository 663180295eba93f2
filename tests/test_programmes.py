"""A programme's file that could not be worked by stops the start, with the file, the key and what to change."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from callcentre.errors import ConfigurationError
from callcentre.planning.writing import limits_of
from callcentre.programmes import load_programme
from callcentre.retry.policy import policy_of
from callcentre.runtime import build_runtime
from callcentre.settings import ROOT, load_settings

FILE = "bouches-du-rhone.toml"


def with_line(folder: Path, line: str, *, was: str | None = None, file: str = f"programmes/{FILE}") -> Path:
    """A copy of the configuration in which `line` stands for the line that `was`, or else for the one of its key."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    pattern = rf"^{re.escape(was or line.partition('=')[0] + '=')}.*$"
    text, changed = re.subn(
        pattern, line, (config / file).read_text(encoding="utf-8"), count=1, flags=re.MULTILINE
    )
    assert changed
    (config / file).write_text(text, encoding="utf-8")
    return config


def start(config: Path) -> None:
    """Start as the web and the worker do."""
    values = {"CALLCENTRE_CONFIG_DIR": str(config), "CALLCENTRE_DATA_DIR": str(config.parent)}
    build_runtime(load_settings(values)).engine.dispose()


def test_the_files_of_the_project_start(tmp_path: Path) -> None:
    start(with_line(tmp_path, "quick_retry_minutes = [10, 45]"))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("weekdays = []", "hours.weekdays"),
        ("gap_hours_same_day = 500", "limits.gap_hours_same_day"),
        ("quick_retry_minutes = [60, 15]", "limits.quick_retry_minutes"),
        ("quick_retry_minutes = [-5, 60]", "limits.quick_retry_minutes"),
        ("quick_retry_minutes = [15, 2000]", "limits.quick_retry_minutes"),
        ("guardian_attempts = [-3, 0]", "limits.guardian_attempts[0]"),
    ],
)
def test_a_value_that_would_do_nothing_is_refused(tmp_path: Path, line: str, key: str) -> None:
    file = with_line(tmp_path, line) / "programmes" / FILE
    with pytest.raises(ConfigurationError) as refused:
        load_programme(file)
    assert (refused.value.file, refused.value.key) == (FILE, key)
    assert "Correct this value" in refused.value.remedy


LETTER = 'labels = { fr = "Une lettre", en = "A letter" }'


@pytest.mark.parametrize(
    ("line", "was", "key"),
    [
        ("labels = {}", LETTER, "routes[8].labels"),
        ('labels = { en = "A letter" }', LETTER, "routes[8].labels"),
        ('labels = { fr = " ", en = "A letter" }', LETTER, "routes[8].labels"),
        ('kind = "letter"\nwhen = []', 'kind = "letter"', "routes[8].when"),
        ('closes_as = "other_routes"', 'closes_as = "out_of_scope"', "dispositions[17]"),
    ],
)
def test_what_would_fail_on_a_page_or_hold_somebody_for_ever_is_refused(
    tmp_path: Path, line: str, was: str, key: str
) -> None:
    file = with_line(tmp_path, line, was=was) / "programmes" / FILE
    with pytest.raises(ConfigurationError) as refused:
        load_programme(file)
    assert (refused.value.file, refused.value.key) == (FILE, key)
    assert "Correct this value" in refused.value.remedy


@pytest.mark.parametrize("line", ["per_30_days = 3", "calls_per_30_days = 5", "contacts_per_30_days = 5"])
def test_calls_and_messages_may_not_add_up_to_more_than_the_cap_of_contacts(
    tmp_path: Path, line: str
) -> None:
    """Siblings share a mobile: on it, the caps of calls and of messages are all that holds them together."""
    file = with_line(tmp_path, line) / "programmes" / FILE
    with pytest.raises(ConfigurationError, match=r"limits\.contacts_per_30_days .*lower one of them"):
        load_programme(file)


def test_the_cap_of_contacts_is_one_setting_of_calls_and_messages() -> None:
    programme = load_programme(ROOT / "config" / "programmes" / FILE)
    limits = programme.limits.model_copy(update={"contacts_per_30_days": 9})
    other = programme.model_copy(update={"limits": limits})
    assert policy_of(other).limits.contacts_in_period == 9
    assert limits_of(other).contacts_in_period == 9


def test_a_slot_written_twice_is_refused(tmp_path: Path) -> None:
    file = with_line(tmp_path, 'code = "morning"', was='code = "midday"') / "programmes" / FILE
    with pytest.raises(ConfigurationError, match="slots: written twice: morning"):
        load_programme(file)


@pytest.mark.parametrize(
    ("line", "was", "problem"),
    [
        ('holidays_country = "XX"', None, "holidays of 'XX' are not known"),
        ('code = "noon"', 'code = "midday"', "'noon' is not a valid Slot"),
        ('weekdays = [["08:00", "20:00"]]', None, "a calling hour belongs to no slot"),
    ],
)
def test_hours_that_could_not_be_planned_stop_the_start(
    tmp_path: Path, line: str, was: str | None, problem: str
) -> None:
    config = with_line(tmp_path, line, was=was)
    with pytest.raises(ConfigurationError, match=re.escape(problem)) as refused:
        start(config)
    assert (refused.value.file, refused.value.key) == (FILE, "hours, slots")


def test_a_half_life_of_hours_is_refused(tmp_path: Path) -> None:
    config = with_line(tmp_path, "half_life_days = 0.25", file="default.toml")
    with pytest.raises(ConfigurationError, match=r"default\.toml: retry\.half_life_days"):
        start(config)
