"""The commands, as a newcomer and as a program would call them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner

from callcentre.app import create_app
from callcentre.cli import COMMANDS
from callcentre.migrations import head
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings

SAMPLES = Path(__file__).resolve().parent / "samples"
MESSY = str(SAMPLES / "brouillonne.csv")
PASSWORD = "Une phrase assez longue 7"


@pytest.fixture
def runtime(empty_sqlite_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = build_runtime(
        load_settings(
            {
                "CALLCENTRE_DATABASE_URL": empty_sqlite_url,
                "CALLCENTRE_DATA_DIR": str(tmp_path),
                "CALLCENTRE_CLOCK_START": "2026-11-23T10:00:00+01:00",
            }
        )
    )
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def run(runtime: Runtime) -> FlaskCliRunner:
    return create_app(runtime).test_cli_runner()


@pytest.fixture
def ready(run: FlaskCliRunner) -> FlaskCliRunner:
    """A migrated database with the programme in it."""
    assert run.invoke(args=["db-upgrade"]).exit_code == 0
    return run


def as_json(result: Result) -> object:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_explains_itself(run: FlaskCliRunner, command: str) -> None:
    result = run.invoke(args=[command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 6


def test_db_upgrade_may_be_run_twice(run: FlaskCliRunner) -> None:
    first = as_json(run.invoke(args=["db-upgrade", "--json"]))
    assert as_json(run.invoke(args=["db-upgrade", "--json"])) == first == {"revision": head()}


def test_a_command_before_the_first_upgrade_says_what_to_do(run: FlaskCliRunner) -> None:
    result = run.invoke(args=["release-leases"])
    assert result.exit_code == 1
    assert "db-upgrade" in result.output
    assert "Traceback" not in result.output


def test_a_check_writes_nothing_and_the_import_does_what_it_said(
    ready: FlaskCliRunner, tmp_path: Path
) -> None:
    report = tmp_path / "out.json"
    args = ["import-list", MESSY, "--list-date", "2026-11-15", "--json", "--report", str(report)]
    checked = as_json(ready.invoke(args=[*args, "--check"]))
    assert as_json(ready.invoke(args=["export-people"])) == []
    done = as_json(ready.invoke(args=args))
    assert isinstance(checked, dict)
    assert isinstance(done, dict)
    assert done["counts"] == checked["counts"]
    people = as_json(ready.invoke(args=["export-people"]))
    assert isinstance(people, list)
    assert len(people) == done["counts"]["created"]
    rows = json.loads(report.read_text(encoding="utf-8"))["rows"]
    assert {row["fate"] for row in rows} == {"created", "duplicate", "quarantined", "ignored"}


def test_the_same_list_twice_changes_nothing(ready: FlaskCliRunner) -> None:
    args = ["import-list", MESSY, "--list-date", "2026-11-15"]
    ready.invoke(args=args)
    before = as_json(ready.invoke(args=["export-people"]))
    result = ready.invoke(args=args)
    assert result.exit_code == 0
    assert "nothing changed" in result.output
    assert as_json(ready.invoke(args=["export-people"])) == before


def test_a_file_that_is_no_list_is_refused_in_words(ready: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("a;b;c\n1;2;3\n", encoding="utf-8")
    result = ready.invoke(args=["import-list", str(file), "--list-date", "2026-11-15"])
    assert result.exit_code == 1
    assert "header" in result.output


@pytest.mark.parametrize(
    "args",
    [
        ["import-list", "nowhere.csv", "--list-date", "2026-11-15"],
        ["import-list", MESSY],
        ["import-list", MESSY, "--list-date", "15 novembre"],
        ["import-list", MESSY, "--list-date", "2026-11-15", "--programme", "ailleurs"],
        ["export-people", "--format", "xlsx"],
        ["add-user", "zoe", "--role", "boss", "--name", "Zoé"],
        ["demo-history", "--days", "0"],
    ],
)
def test_a_wrong_call_exits_with_two(ready: FlaskCliRunner, args: list[str]) -> None:
    result = ready.invoke(args=args)
    assert result.exit_code == 2, result.output


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_is_written_to_a_file(ready: FlaskCliRunner, tmp_path: Path, form: str) -> None:
    ready.invoke(args=["import-list", MESSY, "--list-date", "2026-11-15"])
    file = tmp_path / f"people.{form}"
    assert ready.invoke(args=["export-people", "--format", form, "--output", str(file)]).exit_code == 0
    assert file.stat().st_size > 1000


def test_a_user_is_asked_for_a_password_and_given_a_token(ready: FlaskCliRunner) -> None:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    made = ready.invoke(args=["add-user", "zoe", "--name", "Zoé"], input=typed)
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    token = as_json(ready.invoke(args=["add-token", "zoe", "--json"]))
    assert isinstance(token, dict)
    assert str(token["token"]).startswith("cct_")


def test_a_weak_password_and_a_taken_login_are_refused(ready: FlaskCliRunner) -> None:
    weak = ready.invoke(args=["add-user", "zoe", "--name", "Zoé"], input="short\nshort\n")
    assert weak.exit_code == 1
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    ready.invoke(args=["add-user", "zoe", "--name", "Zoé"], input=typed)
    taken = ready.invoke(args=["add-user", "ZOE", "--name", "Zoé"], input=typed)
    assert taken.exit_code == 1
    assert "Traceback" not in taken.output


def test_a_token_for_nobody_is_refused(ready: FlaskCliRunner) -> None:
    assert ready.invoke(args=["add-token", "personne"]).exit_code == 1


def test_the_funnel_is_printed_for_people_and_for_programs(ready: FlaskCliRunner) -> None:
    ready.invoke(args=["import-list", MESSY, "--list-date", "2026-11-15"])
    words = ready.invoke(args=["funnel-report"])
    assert "target 3274" in words.output
    report = as_json(ready.invoke(args=["funnel-report", "--json"]))
    assert isinstance(report, dict)
    assert report["programme"] == "bouches-du-rhone"


def test_history_is_played_only_into_a_demonstration(ready: FlaskCliRunner) -> None:
    ready.invoke(args=["import-list", MESSY, "--list-date", "2026-11-15"])
    refused = ready.invoke(args=["demo-history", "--days", "1"])
    assert refused.exit_code == 1
    assert "demonstration" in refused.output


def test_cards_are_given_back(ready: FlaskCliRunner) -> None:
    assert as_json(ready.invoke(args=["release-leases", "--json"])) == {"released": 0}
