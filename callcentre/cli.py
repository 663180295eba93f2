"""The commands: `flask --app wsgi COMMAND --help` explains each.

A command parses, opens one transaction, calls a verb and prints. What went wrong is said in words, with exit code 1;
a wrong way of calling it exits with 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from callcentre import migrations
from callcentre.accounts import queries as accounts
from callcentre.accounts import sign_in
from callcentre.accounts.kinds import Language, Role
from callcentre.accounts.users import create_user
from callcentre.database import reading, writing
from callcentre.demo import DEFAULT_SEED, play_days
from callcentre.desk import settling
from callcentre.directory.programmes import synchronise
from callcentre.errors import CallCentreError
from callcentre.intake import checking, importing, profiles, reports
from callcentre.intake import queries as intake
from callcentre.intake.mapping import Choice, load_choice, load_column_words
from callcentre.intake.preparing import PreparedList
from callcentre.intake.preparing import prepare as prepare_list
from callcentre.intake.reader import Choice as ReadingChoice
from callcentre.programmes import Programme
from callcentre.runtime import Runtime
from callcentre.simulation.arms import Change, Way
from callcentre.simulation.files import as_html, as_pdf
from callcentre.simulation.report import report_of
from callcentre.simulation.request import Request as SimulationRequest
from callcentre.simulation.request import Resolution
from callcentre.simulation.result import simulate
from callcentre.supervision.reports import funnel_report

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
PROGRAMME = click.option("--programme", "code", help="Code of the programme; the settings' own by default.")


def register(app: Flask) -> None:
    """Add every command to the application."""
    for command in COMMANDS:
        app.cli.add_command(command)


@click.command("db-upgrade")
@AS_JSON
@with_appcontext
def db_upgrade(as_json: bool) -> None:
    """Bring the database to this version, and the programmes of config/ into it.

    Safe to run again: what is done is not done twice. Run it after every update of the program.
    """
    runtime = _runtime()
    with _in_words():
        migrations.upgrade(runtime.engine)
        with writing(runtime.sessions) as session:
            synchronise(session, runtime.programmes.values())
    revision = migrations.head()
    _say({"revision": revision}, as_json, f"The database is at revision {revision}.")


@click.command("import-list")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@PROGRAMME
@click.option("--list-date", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The list's own date.")
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Columns named by hand."
)
@click.option("--check", "only_check", is_flag=True, help="Say what would happen to each row; write nothing.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write every row's fate there, as JSON."
)
@AS_JSON
@with_appcontext
def import_list(
    file: Path,
    code: str | None,
    list_date: datetime,
    mapping: Path | None,
    only_check: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Import a list FILE (CSV or XLSX) into a programme's queue.

    Each row ends as created, updated, unchanged, duplicate, quarantined or ignored, with its reasons. The same file
    twice changes nothing; an import that was cut off goes on where it stopped when the command is run again.

    \b
    flask --app wsgi import-list liste.csv --programme bouches-du-rhone --list-date 2026-11-15 --check
    """
    runtime = _runtime()
    with _in_words():
        programme = _programme(runtime, code)
        prepared = _prepared(runtime, programme, file, list_date.date(), mapping)
        if only_check:
            with reading(runtime.sessions) as session:
                plan = checking.check(session, prepared, programme=programme, with_values=report is not None)
            result = reports.plan_report(
                plan, name=prepared.name, programme=programme.code, list_date=list_date.date().isoformat()
            )
        else:
            result = _imported(runtime, programme, prepared, quiet=as_json, with_rows=report is not None)
    if report is not None:
        report.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    summary = {key: value for key, value in result.items() if key != "rows"}
    counts = ", ".join(f"{count} {fate}" for fate, count in result["counts"].items() if count)
    _say(summary, as_json, ("Would be: " if only_check else "Fates of the rows: ") + (counts or "no row"))


@click.command("export-people")
@click.option(
    "--format", "form", type=click.Choice(["json", "csv", "xlsx"]), default="json", show_default=True
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of the screen."
)
@PROGRAMME
@with_appcontext
def export_people(form: str, output: Path | None, code: str | None) -> None:
    """Export everybody in a programme: identity, every number and whether it may be called, PSAD, opt-outs.

    The file holds personal data of minors: keep it where the list itself may be kept.
    """
    runtime = _runtime()
    if form == "xlsx" and output is None:
        raise click.UsageError("A workbook needs --output FILE.xlsx.")
    with _in_words(), reading(runtime.sessions) as session:
        desk = runtime.desk(session, _programme(runtime, code).code)
        people = intake.exported_people(session, desk.programme_id)
        if form == "json":
            content = json.dumps(
                [reports.person_json(p) for p in people], ensure_ascii=False, indent=1
            ).encode()
        elif form == "csv":
            content = "".join(reports.people_csv(people)).encode()
        else:
            content = reports.people_workbook(people)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        click.echo(f"Written to {output}.")


@click.command("add-user")
@click.argument("login")
@click.option("--name", required=True, help="The name that colleagues see.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.OFFICER.value, show_default=True
)
@click.option(
    "--language", type=click.Choice([known.value for known in Language]), default="fr", show_default=True
)
@click.password_option(
    help="Asked for when it is not given; better not on the command line, where others may read it."
)
@AS_JSON
@with_appcontext
def add_user(login: str, name: str, role: str, language: str, password: str, as_json: bool) -> None:
    """Create an account that signs in with LOGIN. The password is asked for, or read from standard input."""
    runtime = _runtime()
    with _in_words(), writing(runtime.sessions) as session:
        user_id = create_user(
            session,
            login,
            display_name=name,
            role=Role(role),
            password=password,
            now=runtime.clock.now(),
            language=Language(language),
        )
    _say({"user_id": user_id, "login": login}, as_json, f"{login} may sign in as {role}.")


@click.command("add-token")
@click.argument("login")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good; for ever by default.")
@AS_JSON
@with_appcontext
def add_token(login: str, name: str, days: int | None, as_json: bool) -> None:
    """Make a personal token of the JSON API for the account LOGIN. It is shown once, and only its hash is kept."""
    runtime = _runtime()
    lifetime = timedelta(days=days) if days else None
    with _in_words(), writing(runtime.sessions) as session:
        user = accounts.user_by_login(session, login)
        if user is None:
            raise click.ClickException(f"There is no account {login}.")
        token = sign_in.create_token(session, user.id, name, now=runtime.clock.now(), lifetime=lifetime)
    _say({"token": token}, as_json, token)


@click.command("demo-history")
@click.option("--days", required=True, type=click.IntRange(1, 400), help="How many days to play, ending now.")
@click.option(
    "--seed", type=int, default=DEFAULT_SEED, show_default=True, help="The same seed plays the same days."
)
@click.option("--forward", is_flag=True, help="Play the days that follow the database's last event instead.")
@AS_JSON
@with_appcontext
def demo_history(days: int, seed: int, forward: bool, as_json: bool) -> None:
    """Play days of work into a demonstration database, through the real verbs under a virtual clock.

    Only a database with the demonstration mark (or a new one) is played with. Nothing is ever dialled.
    """
    runtime = _runtime()
    with _in_words():
        played = play_days(runtime, days=days, seed=seed, forward=forward, tell=None if as_json else _tell)
    _say(asdict(played), as_json, f"Played {played.working_days} days of work, {played.calls} calls.")


@click.command("simulate")
@PROGRAMME
@click.option(
    "--world", default="ordinary", show_default=True, help="A file of config/worlds, without its ending."
)
@click.option("--people", type=click.IntRange(20, 20_000), default=1000, show_default=True)
@click.option("--days", type=click.IntRange(14, 800), help="Days played; the world's own by default.")
@click.option(
    "--seeds", type=click.IntRange(1, 50), default=5, show_default=True, help="Years played with each policy."
)
@click.option("--first-seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--full", is_flag=True, help="Through the program's real verbs, in a database of its own: slower."
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice([*(way.value for way in Way), "none"]),
    default=[Way.ROTATION.value, Way.EVENING_FIRST.value, Way.RECYCLE.value],
    show_default=True,
    help="Policies played beside the programme's.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Try another setting: {', '.join(Change.model_fields)}.",
)
@click.option(
    "--advice/--no-advice", default=True, help="Look for what would reach the target if it is missed."
)
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Processes that play; all processors by default."
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there.")
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there.")
@click.option(
    "--language", type=click.Choice([known.value for known in Language]), default="en", show_default=True
)
@AS_JSON
@with_appcontext
def simulate_policy(
    code: str | None,
    changes: tuple[str, ...],
    controls: tuple[str, ...],
    full: bool,
    processes: int | None,
    html: Path | None,
    pdf: Path | None,
    language: str,
    as_json: bool,
    **asked: Any,
) -> None:
    """Play years of a policy on invented people and compare it with others, before living with it.

    Nothing of the live database is opened, and nobody is telephoned. The same seeds give the same years.

    \b
    flask --app wsgi simulate --seeds 8 --change attempts=10 --change repaired=0.5 --pdf report.pdf
    """
    runtime = _runtime()
    with _in_words():
        programme = _programme(runtime, code)
        request = SimulationRequest(
            programme=programme.code,
            controls=tuple(Way(one) for one in controls if one != "none"),
            change=_change(changes),
            resolution=Resolution.FULL if full else Resolution.LIGHT,
            **asked,
        )
        with (
            TemporaryDirectory(prefix="simulation-") as folder,
            _progress("Simulating", quiet=as_json) as tell,
        ):
            found = simulate(
                request,
                programme,
                live=runtime.settings,
                folder=Path(folder),
                processes=processes,
                report=tell,
            )
    report = report_of(found, language, at=runtime.clock.now().astimezone(programme.tz))
    if html is not None:
        html.write_bytes(as_html(report, language))
    if pdf is not None:
        pdf.write_bytes(as_pdf(report, language))
    lines = [report.title, *report.made, report.verdict, *report.lead]
    for table in report.tables:
        lines += ["", table.caption, *(" | ".join(row) for row in (table.heads, *table.rows))]
    _say(found.as_json(), as_json, "\n".join([*lines, "", *report.notes]))


@click.command("funnel-report")
@PROGRAMME
@AS_JSON
@with_appcontext
def report_funnel(code: str | None, as_json: bool) -> None:
    """Print how far the programme's people have come, against the targets to date."""
    runtime = _runtime()
    with _in_words(), reading(runtime.sessions) as session:
        report = funnel_report(session, _programme(runtime, code), now=runtime.clock.now())
    lines = [
        f"{one.stage:<16}{one.count:>7} people, {one.to_date:>6} expected by now, target {one.target}"
        for one in report.stages
    ]
    _say(report.as_json(), as_json, "\n".join(lines))


@click.command("release-leases")
@PROGRAMME
@AS_JSON
@with_appcontext
def release_leases(code: str | None, as_json: bool) -> None:
    """Give every held card without a call back to the queue, for instance after a power cut.

    Cards on which a call was started stay with their officer: their result is still to be told.
    """
    runtime = _runtime()
    with _in_words(), writing(runtime.sessions) as session:
        desk = runtime.desk(session, _programme(runtime, code).code)
        released = settling.release_all(session, desk.programme_id, now=runtime.clock.now())
    _say({"released": released}, as_json, f"{released} cards given back.")


COMMANDS = (
    db_upgrade,
    import_list,
    export_people,
    add_user,
    add_token,
    demo_history,
    simulate_policy,
    report_funnel,
    release_leases,
)


def _runtime() -> Runtime:
    runtime: Runtime = current_app.extensions["callcentre"]
    return runtime


def _change(changes: tuple[str, ...]) -> Change:
    """The change that `NAME=VALUE` words ask for."""
    try:
        return Change.model_validate(dict(one.split("=", 1) for one in changes))
    except ValueError as error:
        known = ", ".join(Change.model_fields)
        raise click.BadParameter(f"Write --change NAME=VALUE, with a name among {known}: {error}") from error


def _programme(runtime: Runtime, code: str | None) -> Programme:
    programme = runtime.programmes.get(code or runtime.settings.programme)
    if programme is None:
        raise click.BadParameter(f"There is no programme {code}; known: {', '.join(runtime.programmes)}.")
    return programme


def _prepared(
    runtime: Runtime, programme: Programme, file: Path, list_date: date, mapping: Path | None
) -> PreparedList:
    words = load_column_words(runtime.settings.config_dir / "list_columns.toml")
    chosen = load_choice(mapping) if mapping is not None else Choice()
    reading_choice = ReadingChoice(chosen.encoding, chosen.delimiter)
    with reading(runtime.sessions) as session:
        remembered = profiles.remembered(session)
    prepared = prepare_list(
        file.read_bytes(),
        file.name,
        programme=programme,
        list_date=list_date,
        words=words,
        chosen=chosen,
        remembered=remembered,
        read_as=None if reading_choice == ReadingChoice() else reading_choice,
    )
    if not isinstance(prepared, PreparedList):
        raise click.ClickException(prepared.en)
    return prepared


def _imported(
    runtime: Runtime, programme: Programme, prepared: PreparedList, *, quiet: bool, with_rows: bool
) -> dict[str, Any]:
    with _progress("Importing", quiet=quiet) as report:
        imported = importing.import_file(
            runtime.sessions, prepared, programme=programme, now=runtime.clock.now(), report=report
        )
    if imported.was_known and not quiet:
        click.echo("This very list was imported before; nothing changed.")
    with reading(runtime.sessions) as session:
        return reports.file_report(session, imported.progress.list_file_id, with_rows=with_rows)


@contextmanager
def _progress(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, a line each tenth elsewhere, nothing for a program."""
    shown = -1

    def report(done: int, whole: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(whole, 1)
        if not quiet and (sys.stderr.isatty() or tenth != shown):
            click.echo(f"\r{label}: {done} of {whole}", nl=not sys.stderr.isatty(), err=True)
            shown = tenth

    yield report
    if not quiet and sys.stderr.isatty():
        click.echo(err=True)


def _tell(what: str, done: int, whole: int) -> None:
    click.echo(f"\r{what}: {done} of {whole}", nl=done >= whole, err=True)


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what this program raises on purpose into a message; a database that does not answer, too."""
    try:
        yield
    except CallCentreError as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        hint = "Run db-upgrade first, or check CALLCENTRE_DATABASE_URL."
        raise click.ClickException(
            f"The database does not answer as it should ({error.orig}). {hint}"
        ) from error


def _say(data: Any, as_json: bool, words: str) -> None:
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, default=_plain))
    else:
        click.echo(words)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
